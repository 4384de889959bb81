#version 300 es
// Retinex ratio: the generated face under the original's low-passed light (paper III-B2, formulas 1 and 2).
precision highp float;
uniform sampler2D face, light;
uniform float size;
out vec4 result;
void main() {
  vec2 at = gl_FragCoord.xy / size;
  vec3 b = texture(light, at).rgb;
  float ratio = clamp((b.r - b.g) / max(b.b, 1e-3), -1.1, 1.1);
  result = vec4(clamp(texelFetch(face, ivec2(gl_FragCoord.xy), 0).rgb * exp(ratio), 0.0, 1.0), 1.0);
}
