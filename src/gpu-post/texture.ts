import type { Gl, GlFramebuffer, GlTexture } from './gl-api.ts';

export type TextureFormat = 'r8' | 'rg8' | 'rgba8' | 'rgba16f' | 'rgba32f';

export interface TextureOptions {
  readonly filter?: 'nearest' | 'linear' | 'mipmap';
  readonly wrap?: 'clamp' | 'repeat';
}

/** A texture of fixed size that a pass can sample, and, for the RGBA formats, draw into. */
export class Texture {
  readonly width: number;
  readonly height: number;
  readonly format: TextureFormat;
  readonly handle: GlTexture;
  readonly #gl: Gl;
  #framebuffer: GlFramebuffer | undefined;

  constructor(gl: Gl, width: number, height: number, format: TextureFormat, options: TextureOptions = {}) {
    this.#gl = gl;
    this.width = width;
    this.height = height;
    this.format = format;
    this.handle = gl.createTexture();
    const { internal, external, type } = layout(gl, format);
    gl.bindTexture(gl.TEXTURE_2D, this.handle);
    gl.texImage2D(gl.TEXTURE_2D, 0, internal, width, height, 0, external, type, null);
    const linear = options.filter !== undefined && options.filter !== 'nearest';
    const minify = options.filter === 'mipmap' ? gl.LINEAR_MIPMAP_LINEAR : linear ? gl.LINEAR : gl.NEAREST;
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, minify);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, linear ? gl.LINEAR : gl.NEAREST);
    const wrap = options.wrap === 'repeat' ? gl.REPEAT : gl.CLAMP_TO_EDGE;
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, wrap);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, wrap);
    if (options.filter === 'mipmap') gl.generateMipmap(gl.TEXTURE_2D);
  }

  /** Replaces the upper left `width` × `height` texels (row 0 first). */
  upload(data: ArrayBufferView, width = this.width, height = this.height): void {
    const gl = this.#gl;
    const { external, type } = layout(gl, this.format);
    gl.bindTexture(gl.TEXTURE_2D, this.handle);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, width, height, external, type, data);
  }

  updateMipmap(): void {
    this.#gl.bindTexture(this.#gl.TEXTURE_2D, this.handle);
    this.#gl.generateMipmap(this.#gl.TEXTURE_2D);
  }

  /** Directs drawing into it. */
  bindAsTarget(): void {
    const gl = this.#gl;
    if (this.#framebuffer) gl.bindFramebuffer(gl.FRAMEBUFFER, this.#framebuffer);
    else {
      this.#framebuffer = gl.createFramebuffer();
      gl.bindFramebuffer(gl.FRAMEBUFFER, this.#framebuffer);
      gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, this.handle, 0);
      if (gl.checkFramebufferStatus(gl.FRAMEBUFFER) !== gl.FRAMEBUFFER_COMPLETE)
        throw new Error(`GL cannot draw into a ${this.format} texture`);
    }
    gl.viewport(0, 0, this.width, this.height);
  }

  /** Reads the upper left part back: bytes for rgba8, floats for the float formats. */
  read(into: ArrayBufferView, width = this.width, height = this.height): void {
    const gl = this.#gl;
    this.bindAsTarget();
    gl.readPixels(0, 0, width, height, gl.RGBA, this.format === 'rgba8' ? gl.UNSIGNED_BYTE : gl.FLOAT, into);
  }

  dispose(): void {
    if (this.#framebuffer) this.#gl.deleteFramebuffer(this.#framebuffer);
    this.#gl.deleteTexture(this.handle);
  }
}

function layout(gl: Gl, format: TextureFormat): { internal: number; external: number; type: number } {
  switch (format) {
    case 'r8':
      return { internal: gl.R8, external: gl.RED, type: gl.UNSIGNED_BYTE };
    case 'rg8':
      return { internal: gl.RG8, external: gl.RG, type: gl.UNSIGNED_BYTE };
    case 'rgba8':
      return { internal: gl.RGBA8, external: gl.RGBA, type: gl.UNSIGNED_BYTE };
    case 'rgba16f':
      return { internal: gl.RGBA16F, external: gl.RGBA, type: gl.HALF_FLOAT };
    case 'rgba32f':
      return { internal: gl.RGBA32F, external: gl.RGBA, type: gl.FLOAT };
  }
}
