#version 300 es
// Sums over 8×8 texels of skin: chroma of original (xy) and generated (zw), their squared deviations, or the weight.
precision highp float;
uniform sampler2D crop, face, weights;
uniform vec4 mean;
uniform int what; // 0: first moments, 1: squared deviations, 2: weight
out vec4 result;
vec2 chroma(vec3 c) {
  return vec2(dot(c, vec3(-0.168736, -0.331264, 0.5)), dot(c, vec3(0.5, -0.418688, -0.081312)));
}
void main() {
  ivec2 origin = ivec2(gl_FragCoord.xy) * 8;
  vec4 sum = vec4(0.0);
  for (int y = 0; y < 8; y++) for (int x = 0; x < 8; x++) {
    ivec2 p = origin + ivec2(x, y);
    vec2 at = (vec2(p) + 0.5) / 128.0;
    float w = texelFetch(weights, p, 0).b;
    vec4 c = vec4(chroma(texture(crop, at).rgb), chroma(texture(face, at).rgb));
    if (what == 0) sum += w * c;
    else if (what == 1) sum += w * (c - mean) * (c - mean);
    else sum += vec4(w);
  }
  result = sum;
}
