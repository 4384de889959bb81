#version 300 es
// 1×1: weighted mean from the sums of both halves.
precision highp float;
uniform sampler2D sums;
out vec4 result;
void main() {
  vec4 sum = vec4(0.0), weight = vec4(0.0);
  for (int y = 0; y < 16; y++) for (int x = 0; x < 16; x++) {
    sum += texelFetch(sums, ivec2(x, y), 0);
    weight += texelFetch(sums, ivec2(x + 16, y), 0);
  }
  result = sum / max(weight, 1.0);
}
