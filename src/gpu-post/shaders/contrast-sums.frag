#version 300 es
// Sums over 4×4 texels of 64²: squared log luminance over the light on the face, of original (x) and blended face (y), eyes, brows and
// lips included; z: how many. Glasses and hair count no more than a pupil does.
precision highp float;
uniform sampler2D crop, lit, base, skin, light;
uniform float relit; // 0: the face keeps its own light
out vec4 result;
const vec3 LUMA = vec3(0.299, 0.587, 0.114);
void main() {
  ivec2 cell = ivec2(gl_FragCoord.xy);
  vec3 sum = vec3(0.0);
  for (int j = 0; j < 4; j++) for (int i = 0; i < 4; i++) {
    vec2 at = (vec2(cell * 4 + ivec2(i, j)) + 0.5) / 64.0;
    vec3 l = texture(light, at).rgb / max(texture(light, at).b, 1e-3);
    vec2 y = vec2(dot(texture(crop, at).rgb, LUMA), dot(clamp(texture(lit, at).rgb + texture(base, at).rgb, 0.0, 1.0), LUMA));
    vec2 over = clamp(log(y + 0.02) - vec2(l.r, mix(l.g, l.r, relit)), -1.0, 1.0);
    sum += texture(skin, at).b * vec3(over * over, 1.0);
  }
  result = vec4(sum, 1.0);
}
