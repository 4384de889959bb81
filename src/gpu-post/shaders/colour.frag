#version 300 es
// The original's low frequencies (base) under the relit face, and its chroma statistics (paper III-B2) on what is skin: hair,
// teeth and eyes have other chroma and keep it. Y untouched. Beside the face, its surroundings. Alpha: 1 over the face's hull.
precision highp float;
uniform sampler2D lit, base, state, mask, around, light, contrast;
uniform float size;
uniform float relit; // 0: the face keeps its own light
uniform float browY; // canonical pixels
uniform float transfer; // 0: only what lies beside the face is put there
out vec4 result;
vec2 chroma(vec3 c) {
  return vec2(dot(c, vec3(-0.168736, -0.331264, 0.5)), dot(c, vec3(0.5, -0.418688, -0.081312)));
}
// In deviations of the skin's chroma, beyond one and a half.
float awayFrom(vec2 k, vec4 skin) {
  return max(length((k - skin.xy) / max(skin.zw, vec2(0.012))) - 1.5, 0.0);
}
// Log luminance over the light that lies on the face there.
float overLight(vec4 l, float y) {
  return log(y + 0.02) - mix(l.g, l.r, relit) / max(l.b, 1e-5);
}
void main() {
  vec2 at = gl_FragCoord.xy / size;
  vec3 low = texture(base, at).rgb, c = clamp(texelFetch(lit, ivec2(gl_FragCoord.xy), 0).rgb + low, 0.0, 1.0);
  float y = dot(c, vec3(0.299, 0.587, 0.114));
  vec2 k = chroma(c);
  // Towards the face's edge a generator that saw a light wall paints some of it on dark skin. Not above the brows, where hair takes the light.
  vec4 l = texture(light, at);
  float edge = smoothstep(0.15, 0.4, l.b) * (1.0 - smoothstep(0.7, 1.0, l.b)) * smoothstep(browY - 4.0, browY + 4.0, 128.0 * at.y);
  float excess = transfer * edge * max(overLight(l, y) - 0.35, 0.0);
  y *= exp(-excess);
  // Features stand out as much as the original's. Where the light is not known, as in hair far from skin, nothing is changed.
  float gain = mix(1.0, texelFetch(contrast, ivec2(0), 0).r, smoothstep(0.05, 0.25, l.b));
  y = max((y + 0.02) * exp((gain - 1.0) * overLight(l, y)) - 0.02, 0.0);
  vec4 s = texelFetch(state, ivec2(0), 0), skin = texelFetch(state, ivec2(1, 0), 0);
  float away = awayFrom(k, skin);
  // What is not skin keeps its chroma, paler by as much as haze takes from the features.
  k = mix(mix(skin.xy, k, min(gain, 1.0)), k * s.xy + s.zw, exp(-0.5 * away * away));
  k = mix(k, skin.xy * s.xy + s.zw, 1.0 - exp(-3.0 * excess * excess));
  vec3 rgb = vec3(y + 1.402 * k.y, y - 0.344136 * k.x - 0.714136 * k.y, y + 1.772 * k.x);
  // Where the generator painted background inside its outline, or the mask is wider, what lies around is right. Judged by the mean
  // of a neighbourhood of 3×3: the generator's grain, which alternates, would show as dots.
  vec4 beside = texture(around, at);
  float own = 1.0;
  if (beside.a < 1.0) {
    vec3 sum = vec3(0.0);
    for (int j = -1; j <= 1; j += 2) for (int i = -1; i <= 1; i += 2) {
      // The base is nearly the same there.
      sum += clamp(texture(lit, at + vec2(i, j) / 256.0).rgb + low, 0.0, 1.0);
    }
    vec3 mean = sum / 4.0;
    float off = awayFrom(chroma(mean), vec4(skin.xy, max(skin.zw, vec2(0.02))));
    // Dark skin has nearly the chroma of a grey wall.
    off = length(vec2(off, 10.0 * max(overLight(l, dot(mean, vec3(0.299, 0.587, 0.114))) - 0.45, 0.0)));
    own = mix(smoothstep(0.6, 1.0, beside.a), 1.0, exp(-0.08 * off * off));
  }
  result = vec4(mix(beside.rgb, clamp(rgb, 0.0, 1.0), own), texture(mask, at).g);
}
