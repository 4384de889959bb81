#version 300 es
// 32²: one direction of a Gaussian, 15 taps over ±3 sigma, between texels where the filter is wide.
precision highp float;
uniform sampler2D source;
uniform vec2 direction; // sigma in texture coordinates along one axis
out vec4 result;
void main() {
  vec2 at = gl_FragCoord.xy / 32.0;
  vec4 sum = vec4(0.0);
  float total = 0.0;
  for (int i = -7; i <= 7; i++) {
    float t = 3.0 * float(i) / 7.0;
    float w = exp(-0.5 * t * t);
    sum += w * texture(source, at + t * direction);
    total += w;
  }
  result = sum / total;
}
