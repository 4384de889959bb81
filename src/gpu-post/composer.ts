import type { Gl, GlBuffer } from './gl-api.ts';
import { Program, type ProgramInputs } from './program.ts';
import type { Extent } from './soft-mask.ts';
import { Texture, type TextureFormat, type TextureOptions } from './texture.ts';

/** Owns the context, the full-screen triangle, the compiled shaders and every texture made through it. */
export class Composer {
  readonly gl: Gl;
  readonly #programs = new Map<string, Program>();
  readonly #textures = new Set<Texture>();
  readonly #triangle: GlBuffer;

  constructor(gl: Gl) {
    this.gl = gl;
    gl.disable(gl.DEPTH_TEST);
    gl.disable(gl.BLEND);
    gl.disable(gl.DITHER);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.pixelStorei(gl.PACK_ALIGNMENT, 1);
    this.#triangle = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#triangle);
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([-1, -1, 3, -1, -1, 3]), gl.STATIC_DRAW);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
  }

  texture(width: number, height: number, format: TextureFormat, options?: TextureOptions): Texture {
    const texture = new Texture(this.gl, width, height, format, options);
    this.#textures.add(texture);
    return texture;
  }

  release(texture: Texture): void {
    if (this.#textures.delete(texture)) texture.dispose();
  }

  /** Runs a fragment shader over the target. @param area texels, ends included: the rest stays what it is */
  draw(shader: string, target: Texture, inputs: ProgramInputs, area?: Extent): void {
    const { gl } = this;
    let program = this.#programs.get(shader);
    if (!program) {
      program = new Program(this.gl, shader);
      this.#programs.set(shader, program);
    }
    target.bindAsTarget();
    program.use(inputs);
    if (area) {
      gl.enable(gl.SCISSOR_TEST);
      gl.scissor(area.x0, area.y0, area.x1 - area.x0 + 1, area.y1 - area.y0 + 1);
    }
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    if (area) gl.disable(gl.SCISSOR_TEST);
  }

  /** Fills a target with 0. */
  clear(target: Texture): void {
    target.bindAsTarget();
    this.gl.clear(this.gl.COLOR_BUFFER_BIT);
  }

  /** Throws when the driver reports an error or has lost the context: nothing drawn since can be trusted then. */
  check(): void {
    const error = this.gl.getError();
    if (error !== this.gl.NO_ERROR || this.gl.isContextLost())
      throw new Error(`GL reported error 0x${error.toString(16)}`);
  }

  dispose(): void {
    for (const program of this.#programs.values()) program.dispose();
    for (const texture of this.#textures) texture.dispose();
    this.#programs.clear();
    this.#textures.clear();
    (this.gl.getExtension('STACKGL_destroy_context') as { destroy(): void } | null)?.destroy();
  }
}
