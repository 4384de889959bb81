#version 300 es
// Sums over 4×4 texels of 64²: chroma of original (xy) and blended (zw) over skin, or (right half) the weights.
// Texels much darker than the face's light around them are hair, beard or nostrils, and do not count.
precision highp float;
uniform sampler2D crop, lit, base, skin, light, mean;
uniform float about; // 0: first moments and weights, 1: squared deviations from the mean
uniform float relit; // 0: the face keeps its own light
out vec4 result;
vec3 ycc(vec3 c) {
  return vec3(dot(c, vec3(0.299, 0.587, 0.114)), dot(c, vec3(-0.168736, -0.331264, 0.5)), dot(c, vec3(0.5, -0.418688, -0.081312)));
}
void main() {
  ivec2 cell = ivec2(gl_FragCoord.xy);
  vec4 mu = texelFetch(mean, ivec2(0), 0) * about, sum = vec4(0.0);
  for (int j = 0; j < 4; j++) for (int i = 0; i < 4; i++) {
    vec2 at = (vec2(ivec2(cell.x % 16, cell.y) * 4 + ivec2(i, j)) + 0.5) / 64.0;
    vec3 l = texture(light, at).rgb / max(texture(light, at).b, 1e-3);
    vec3 o = ycc(texture(crop, at).rgb), g = ycc(clamp(texture(lit, at).rgb + texture(base, at).rgb, 0.0, 1.0));
    vec2 bright = step(vec2(l.r, mix(l.g, l.r, relit)) - 0.5, log(vec2(o.x, g.x) + 0.02));
    vec4 w = texture(skin, at).g * bright.xxyy, c = vec4(o.yz, g.yz);
    sum += w * (cell.x >= 16 ? vec4(1.0) : about > 0.5 ? (c - mu) * (c - mu) : c);
  }
  result = sum;
}
