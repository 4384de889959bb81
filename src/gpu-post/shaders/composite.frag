#version 300 es
// The finished face in picture space: looks up the canonical texture and turns it into the picture's own Y'CbCr.
precision highp float;
uniform sampler2D face;
uniform vec3 toU, toV; // picture pixel (of this region) to texture coordinates
uniform mat4 convert; // R'G'B'1 to Y'CbCr
out vec4 result;
void main() {
  vec3 p = vec3(gl_FragCoord.xy, 1.0);
  vec2 at = vec2(dot(toU, p), dot(toV, p));
  vec4 c = texture(face, at);
  vec2 inside = step(abs(at - 0.5), vec2(0.5)); // the texture's edge repeats for ever
  result = vec4((convert * vec4(c.rgb, 1.0)).rgb, c.a * inside.x * inside.y);
}
