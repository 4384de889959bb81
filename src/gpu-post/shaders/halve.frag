#version 300 es
// Half the size: a fetch between four texels is their mean.
precision highp float;
uniform sampler2D source;
uniform float size; // of the target
out vec4 result;
void main() {
  result = texture(source, gl_FragCoord.xy / size);
}
