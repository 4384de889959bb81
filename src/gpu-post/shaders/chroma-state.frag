#version 300 es
// 2×1, smoothed over the life of a FaceTrack. Left: scale (xy) and offset (zw) of Cb and Cr that give the generated face the
// original's mean and deviation (paper III-B2). Right: mean (xy) and deviation (zw) of the generated skin, which tell what is
// skin when they are applied. With too little skin in sight the state stays as it was.
precision highp float;
uniform sampler2D sums, squares, mean, previous;
uniform float rate; // share of this frame; 1: there is no previous state
out vec4 result;
void main() {
  vec4 square = vec4(0.0), weight = vec4(0.0);
  for (int y = 0; y < 16; y++) for (int x = 0; x < 16; x++) {
    square += texelFetch(squares, ivec2(x, y), 0);
    weight += texelFetch(sums, ivec2(x + 16, y), 0);
  }
  bool left = gl_FragCoord.x < 1.0;
  vec4 sd = sqrt(square / max(weight, 1.0)), mu = texelFetch(mean, ivec2(0), 0);
  vec2 scale = clamp(sd.xy / max(sd.zw, 1e-3), 0.5, 2.0);
  vec4 now = left ? vec4(scale, mu.xy - scale * mu.zw) : vec4(mu.zw, sd.zw);
  vec4 neutral = left ? vec4(1.0, 1.0, 0.0, 0.0) : vec4(0.0, 0.0, 1.0, 1.0);
  vec4 before = rate < 1.0 ? texelFetch(previous, ivec2(gl_FragCoord.xy), 0) : neutral;
  bool enough = min(weight.x, weight.z) >= 64.0;
  result = mix(before, now, enough ? rate : 0.0);
}
