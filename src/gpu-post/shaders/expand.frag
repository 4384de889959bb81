#version 300 es
// Next finer level of the pyramid: the same kernel, which 1:2 is linear interpolation.
precision highp float;
uniform sampler2D source;
uniform float size; // of this level
out vec4 result;
void main() {
  result = texture(source, gl_FragCoord.xy / size);
}
