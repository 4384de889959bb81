#version 300 es
// Shading by a bilateral filter (paper III-B2, formula 1) of original and generated luminance, as logarithms. 13×13
// samples over ±2 sigma, between texels where the filter is wide.
precision highp float;
uniform sampler2D crop, face;
uniform float sigma; // texture coordinates
uniform float range; // luminance
out vec4 result;
const vec3 LUMA = vec3(0.299, 0.587, 0.114);
void main() {
  vec2 at = gl_FragCoord.xy / 128.0;
  vec2 here = vec2(dot(texture(crop, at).rgb, LUMA), dot(texture(face, at).rgb, LUMA));
  vec2 sum = vec2(0.0), total = vec2(0.0);
  for (int j = -6; j <= 6; j++) for (int i = -6; i <= 6; i++) {
    vec2 d = vec2(i, j) / 3.0;
    vec2 there = vec2(dot(texture(crop, at + d * sigma).rgb, LUMA), dot(texture(face, at + d * sigma).rgb, LUMA));
    vec2 w = exp(-0.5 * dot(d, d) - 0.5 * (there - here) * (there - here) / (range * range));
    sum += w * there;
    total += w;
  }
  result = vec4(log(sum / total + 0.02), 1.0, 1.0);
}
