#version 300 es
// 32²: how far the generator's picture is from the real one outside the mask, where both are known. Nothing under the
// mask is read: the blur that follows carries this into the rim, so that the face joins what surrounds it.
precision highp float;
uniform sampler2D crop, coloured, mask;
out vec4 result;
void main() {
  vec4 sum = vec4(0.0);
  for (int j = 0; j < 2; j++) for (int i = 0; i < 2; i++) {
    vec2 at = (2.0 * floor(gl_FragCoord.xy) + vec2(i, j) + 0.5) / 64.0;
    float outside = step(texture(mask, at).r, 0.002);
    sum += outside * vec4(texture(crop, at).rgb - texture(coloured, at).rgb, 1.0);
  }
  result = sum / 4.0;
}
