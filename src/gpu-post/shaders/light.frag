#version 300 es
// 32²: log luminance of original and generated face, weighted by skin, for the low-pass that follows.
precision highp float;
uniform sampler2D crop, face, skin;
out vec4 result;
float logLuma(vec3 c) {
  return log(dot(c, vec3(0.299, 0.587, 0.114)) + 0.02);
}
void main() {
  vec4 sum = vec4(0.0);
  for (int j = 0; j < 2; j++) for (int i = 0; i < 2; i++) {
    vec2 at = (2.0 * floor(gl_FragCoord.xy) + vec2(i, j) + 0.5) / 64.0;
    float w = texture(skin, at).r;
    sum += vec4(w * logLuma(texture(crop, at).rgb), w * logLuma(texture(face, at).rgb), w, 1.0);
  }
  result = sum / 4.0;
}
