#version 300 es
// 64²: where skin is. Red for the light: eyes, brows and lips carry identity and are all but left out. Green for the
// chroma statistics: those and the forehead, where hair hangs, do not count, nor does the rim. Blue for the contrast: all below
// the brows but the rim. Mask: both faces' hull.
precision highp float;
uniform sampler2D mask;
uniform vec4 leftEye, rightEye, mouth; // centre and radii, canonical pixels
uniform float browY;
out vec4 result;
bool within(vec4 ellipse, vec2 p) {
  vec2 d = (p - ellipse.xy) / ellipse.zw;
  return dot(d, d) < 1.0;
}
void main() {
  vec2 p = gl_FragCoord.xy * 2.0 - 0.5;
  float inside = texture(mask, gl_FragCoord.xy / 64.0).r;
  bool feature = within(leftEye, p) || within(rightEye, p) || within(mouth, p);
  float light = step(0.5, inside) * (feature ? 0.02 : 1.0);
  float contrast = p.y < browY ? 0.0 : step(0.99, inside);
  result = vec4(light, feature ? 0.0 : contrast, contrast, 1.0);
}
