/** Opaque handles of the native context. */
export type GlProgram = { readonly __program: unique symbol };
export type GlShader = { readonly __shader: unique symbol };
export type GlTexture = { readonly __texture: unique symbol };
export type GlFramebuffer = { readonly __framebuffer: unique symbol };
export type GlBuffer = { readonly __buffer: unique symbol };
export type GlLocation = { readonly __location: unique symbol };

/**
 * The part of WebGL 2 that the passes use. Declared here because the DOM's own declarations would put a browser's
 * globals into every file of a Node program.
 */
export interface Gl {
  readonly ARRAY_BUFFER: number;
  readonly STATIC_DRAW: number;
  readonly FLOAT: number;
  readonly HALF_FLOAT: number;
  readonly UNSIGNED_BYTE: number;
  readonly TRIANGLES: number;
  readonly VERTEX_SHADER: number;
  readonly FRAGMENT_SHADER: number;
  readonly COMPILE_STATUS: number;
  readonly LINK_STATUS: number;
  readonly TEXTURE_2D: number;
  readonly TEXTURE0: number;
  readonly TEXTURE_MIN_FILTER: number;
  readonly TEXTURE_MAG_FILTER: number;
  readonly TEXTURE_WRAP_S: number;
  readonly TEXTURE_WRAP_T: number;
  readonly NEAREST: number;
  readonly LINEAR: number;
  readonly LINEAR_MIPMAP_LINEAR: number;
  readonly CLAMP_TO_EDGE: number;
  readonly REPEAT: number;
  readonly FRAMEBUFFER: number;
  readonly FRAMEBUFFER_COMPLETE: number;
  readonly COLOR_ATTACHMENT0: number;
  readonly RGBA: number;
  readonly RG: number;
  readonly RED: number;
  readonly R8: number;
  readonly RG8: number;
  readonly RGBA8: number;
  readonly RGBA16F: number;
  readonly RGBA32F: number;
  readonly UNPACK_ALIGNMENT: number;
  readonly PACK_ALIGNMENT: number;
  readonly RENDERER: number;
  readonly VERSION: number;
  readonly DEPTH_TEST: number;
  readonly BLEND: number;
  readonly DITHER: number;
  readonly SCISSOR_TEST: number;
  readonly COLOR_BUFFER_BIT: number;
  readonly NO_ERROR: number;
  createShader(type: number): GlShader;
  shaderSource(shader: GlShader, source: string): void;
  compileShader(shader: GlShader): void;
  getShaderParameter(shader: GlShader, name: number): unknown;
  getShaderInfoLog(shader: GlShader): string;
  deleteShader(shader: GlShader): void;
  createProgram(): GlProgram;
  attachShader(program: GlProgram, shader: GlShader): void;
  bindAttribLocation(program: GlProgram, index: number, name: string): void;
  linkProgram(program: GlProgram): void;
  getProgramParameter(program: GlProgram, name: number): unknown;
  getProgramInfoLog(program: GlProgram): string;
  useProgram(program: GlProgram): void;
  deleteProgram(program: GlProgram): void;
  getUniformLocation(program: GlProgram, name: string): GlLocation | null;
  uniform1i(location: GlLocation, x: number): void;
  uniformMatrix4fv(location: GlLocation, transpose: boolean, value: readonly number[]): void;
  uniform1f(location: GlLocation, x: number): void;
  uniform2f(location: GlLocation, x: number, y: number): void;
  uniform3f(location: GlLocation, x: number, y: number, z: number): void;
  uniform4f(location: GlLocation, x: number, y: number, z: number, w: number): void;
  createBuffer(): GlBuffer;
  bindBuffer(target: number, buffer: GlBuffer): void;
  bufferData(target: number, data: Float32Array, usage: number): void;
  enableVertexAttribArray(index: number): void;
  vertexAttribPointer(
    index: number,
    size: number,
    type: number,
    normalized: boolean,
    stride: number,
    offset: number,
  ): void;
  createTexture(): GlTexture;
  bindTexture(target: number, texture: GlTexture | null): void;
  activeTexture(unit: number): void;
  texParameteri(target: number, name: number, value: number): void;
  texImage2D(
    target: number,
    level: number,
    internalFormat: number,
    width: number,
    height: number,
    border: number,
    format: number,
    type: number,
    data: ArrayBufferView | null,
  ): void;
  texSubImage2D(
    target: number,
    level: number,
    x: number,
    y: number,
    width: number,
    height: number,
    format: number,
    type: number,
    data: ArrayBufferView,
  ): void;
  generateMipmap(target: number): void;
  deleteTexture(texture: GlTexture): void;
  createFramebuffer(): GlFramebuffer;
  bindFramebuffer(target: number, framebuffer: GlFramebuffer | null): void;
  framebufferTexture2D(target: number, attachment: number, kind: number, texture: GlTexture, level: number): void;
  checkFramebufferStatus(target: number): number;
  deleteFramebuffer(framebuffer: GlFramebuffer): void;
  viewport(x: number, y: number, width: number, height: number): void;
  clear(mask: number): void;
  scissor(x: number, y: number, width: number, height: number): void;
  drawArrays(mode: number, first: number, count: number): void;
  readPixels(
    x: number,
    y: number,
    width: number,
    height: number,
    format: number,
    type: number,
    into: ArrayBufferView,
  ): void;
  pixelStorei(name: number, value: number): void;
  enable(capability: number): void;
  disable(capability: number): void;
  finish(): void;
  getError(): number;
  isContextLost(): boolean;
  getParameter(name: number): unknown;
  getExtension(name: string): unknown;
}
