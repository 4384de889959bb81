#version 300 es
// Joins the face to its surroundings: the rim's error, full at the mask's edge and gone about 12 pixels inside. Alpha:
// 1 over the face's hull, falling in the mask's rim.
precision highp float;
uniform sampler2D coloured, rim, mask;
uniform float size;
out vec4 result;
void main() {
  vec2 at = gl_FragCoord.xy / size;
  vec4 r = texture(rim, at);
  vec3 error = r.rgb / max(r.a, 1e-3) * smoothstep(0.02, 0.5, r.a);
  result = vec4(clamp(texture(coloured, at).rgb + error, 0.0, 1.0), texture(mask, at).g);
}
