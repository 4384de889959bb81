#version 300 es
// Next coarser level of the pyramid: kernel 1 3 3 1 in each direction, by four fetches between texels.
precision highp float;
uniform sampler2D source;
uniform float size; // of this level
out vec4 result;
void main() {
  vec4 sum = vec4(0.0);
  for (int j = -1; j <= 1; j += 2) for (int i = -1; i <= 1; i += 2)
    sum += texture(source, (gl_FragCoord.xy + 0.375 * vec2(i, j)) / size);
  result = sum / 4.0;
}
