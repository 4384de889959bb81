#version 300 es
// The generated face over time, in its own canonical field where a still face does not move: what changes no more than the
// generator's answer to landmark noise is averaged, what changes more (a mouth, a blink, a turn) is taken as it is.
precision highp float;
uniform sampler2D face, previous;
uniform float size, least; // least: share of this frame where nothing happens
out vec4 result;
void main() {
  vec2 at = gl_FragCoord.xy / size, half_ = vec2(0.75) / size, cross_ = vec2(half_.x, -half_.y);
  vec3 change = abs(texture(face, at + half_).rgb - texture(previous, at + half_).rgb);
  change = max(change, abs(texture(face, at - half_).rgb - texture(previous, at - half_).rgb));
  change = max(change, abs(texture(face, at + cross_).rgb - texture(previous, at + cross_).rgb));
  float most = max(change.r, max(change.g, change.b));
  float share = mix(least, 1.0, smoothstep(6.0 / 255.0, 20.0 / 255.0, most));
  ivec2 here = ivec2(gl_FragCoord.xy);
  result = vec4(mix(texelFetch(previous, here, 0).rgb, texelFetch(face, here, 0).rgb, share), 1.0);
}
