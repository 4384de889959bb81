#version 300 es
// First level of the pyramid of (original − relit). The pyramid is linear: putting the original's base under the relit
// face's residuals is adding the expanded base of the difference. Kernel 1 3 3 1 in each direction, 2:1.
precision highp float;
uniform sampler2D crop, lit;
uniform float size; // of this level
out vec4 result;
void main() {
  vec3 sum = vec3(0.0);
  for (int j = -1; j <= 1; j += 2) for (int i = -1; i <= 1; i += 2) {
    vec2 at = (gl_FragCoord.xy + 0.375 * vec2(i, j)) / size;
    sum += texture(crop, at).rgb - texture(lit, at).rgb;
  }
  result = vec4(sum / 4.0, 1.0);
}
