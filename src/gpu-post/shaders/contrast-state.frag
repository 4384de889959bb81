#version 300 es
// 1×1, smoothed over the life of a FaceTrack: by how much the generated face's features are to stand out more or less than they do,
// so that they do it as much as the original's. With too little of a face in sight the state stays as it was.
precision highp float;
uniform sampler2D sums, previous;
uniform float rate; // share of this frame; 1: there is no previous state
uniform float least, most;
out vec4 result;
void main() {
  vec3 sum = vec3(0.0);
  for (int y = 0; y < 16; y++) for (int x = 0; x < 16; x++) sum += texelFetch(sums, ivec2(x, y), 0).rgb;
  float now = clamp(sqrt(sum.x / max(sum.y, 1e-6)), least, most);
  // Haze takes half and more; a third less is a face of faint brows, and the generated one may keep its own.
  now = mix(now, 1.0, smoothstep(0.55, 0.85, now) * step(now, 1.0));
  float before = rate < 1.0 ? texelFetch(previous, ivec2(0), 0).r : 1.0;
  result = vec4(mix(before, now, sum.z >= 64.0 ? rate : 0.0));
}
