#version 300 es
// Log luminance of original and generated face, weighted by skin: eyes, brows and lips carry identity and are left out.
precision highp float;
uniform sampler2D crop, face, mask;
uniform vec4 leftEye, rightEye, mouth; // centre and radii, canonical pixels
out vec4 result;
const vec3 LUMA = vec3(0.299, 0.587, 0.114);
bool within(vec4 ellipse) {
  vec2 d = (gl_FragCoord.xy - 0.5 - ellipse.xy) / ellipse.zw;
  return dot(d, d) < 1.0;
}
void main() {
  vec2 at = gl_FragCoord.xy / 128.0;
  float w = step(0.5, texture(mask, at).r);
  if (within(leftEye) || within(rightEye) || within(mouth)) w *= 0.02;
  float original = log(dot(texture(crop, at).rgb, LUMA) + 0.02);
  float generated = log(dot(texture(face, at).rgb, LUMA) + 0.02);
  result = vec4(w * original, w * generated, w, 1.0);
}
