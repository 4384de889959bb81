#version 300 es
// The finished face in picture space: looks up the canonical texture and turns it into the picture's own Y'CbCr.
precision highp float;
uniform sampler2D face;
uniform vec3 toU, toV; // picture pixel (of this region) to canonical pixel
uniform vec3 luma; // kr, kb, 1 for full range
out vec4 result;
void main() {
  vec3 p = vec3(gl_FragCoord.xy - 0.5, 1.0);
  vec2 uv = vec2(dot(toU, p), dot(toV, p));
  vec2 inside = step(vec2(0.0), uv) * step(uv, vec2(127.0));
  vec4 c = texture(face, (uv + 0.5) / 128.0);
  float y = dot(c.rgb, vec3(luma.x, 1.0 - luma.x - luma.y, luma.y));
  vec2 k = vec2((c.b - y) / (2.0 * (1.0 - luma.y)), (c.r - y) / (2.0 * (1.0 - luma.x)));
  vec3 limited = vec3((16.0 + 219.0 * y) / 255.0, (128.0 + 224.0 * k) / 255.0);
  vec3 full = vec3(y, 128.0 / 255.0 + k);
  result = vec4(luma.z > 0.5 ? full : limited, c.a * inside.x * inside.y);
}
