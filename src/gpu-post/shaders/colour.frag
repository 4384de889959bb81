#version 300 es
// The original's low frequencies (base) under the relit face, and its chroma statistics (paper III-B2) on what is skin: hair,
// teeth and eyes have other chroma and keep it. Y untouched. Beside the face, its surroundings. Alpha: 1 over the face's hull.
precision highp float;
uniform sampler2D lit, base, state, mask, around;
uniform float size;
out vec4 result;
void main() {
  vec2 at = gl_FragCoord.xy / size;
  vec3 c = clamp(texture(lit, at).rgb + texture(base, at).rgb, 0.0, 1.0);
  float y = dot(c, vec3(0.299, 0.587, 0.114));
  vec2 k = vec2(dot(c, vec3(-0.168736, -0.331264, 0.5)), dot(c, vec3(0.5, -0.418688, -0.081312)));
  vec4 s = texelFetch(state, ivec2(0), 0), skin = texelFetch(state, ivec2(1, 0), 0);
  float away = max(length((k - skin.xy) / max(skin.zw, vec2(0.012))) - 1.5, 0.0);
  k = mix(k, k * s.xy + s.zw, exp(-0.5 * away * away));
  vec3 rgb = vec3(y + 1.402 * k.y, y - 0.344136 * k.x - 0.714136 * k.y, y + 1.772 * k.x);
  vec4 beside = texture(around, at);
  result = vec4(mix(beside.rgb, clamp(rgb, 0.0, 1.0), beside.a), texture(mask, at).g);
}
