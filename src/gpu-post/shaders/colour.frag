#version 300 es
// Chroma statistics of the original (paper III-B2): Y untouched. Alpha: 1 over the face's hull, falling in the mask's rim.
precision highp float;
uniform sampler2D face, mask;
uniform vec4 scaleOffset; // c' = c * xy + zw
uniform float size;
out vec4 result;
void main() {
  vec2 at = gl_FragCoord.xy / size;
  vec3 c = texture(face, at).rgb;
  float y = dot(c, vec3(0.299, 0.587, 0.114));
  vec2 k = vec2(dot(c, vec3(-0.168736, -0.331264, 0.5)), dot(c, vec3(0.5, -0.418688, -0.081312)));
  k = k * scaleOffset.xy + scaleOffset.zw;
  float inside = 0.0;
  for (int j = -2; j <= 2; j++) for (int i = -2; i <= 2; i++) inside += texture(mask, at + vec2(i, j) / 128.0).r;
  float alpha = clamp((inside / 25.0 - 0.5) / 0.35, 0.0, 1.0);
  vec3 rgb = vec3(y + 1.402 * k.y, y - 0.344136 * k.x - 0.714136 * k.y, y + 1.772 * k.x);
  result = vec4(clamp(rgb, 0.0, 1.0), alpha);
}
