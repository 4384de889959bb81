import { readFileSync } from 'node:fs';
import type { Gl, GlLocation, GlProgram, GlShader } from './gl-api.ts';
import type { Texture } from './texture.ts';

/** A uniform's value: a float, or two to four. */
export type UniformValue = number | readonly number[];

export interface ProgramInputs {
  readonly textures?: Readonly<Record<string, Texture>>;
  readonly floats?: Readonly<Record<string, UniformValue>>;
  /** Column-major 4×4. */
  readonly matrices?: Readonly<Record<string, readonly number[]>>;
}

const shaderText = (name: string) => readFileSync(new URL(`./shaders/${name}`, import.meta.url), 'utf8');

/** One fragment shader, compiled with the full-screen triangle's vertex shader. */
export class Program {
  readonly name: string;
  readonly #gl: Gl;
  readonly #program: GlProgram;
  readonly #locations = new Map<string, GlLocation | null>();

  /** @param name file under shaders/ without `.frag` */
  constructor(gl: Gl, name: string) {
    this.#gl = gl;
    this.name = name;
    const vertex = compile(gl, gl.VERTEX_SHADER, 'triangle.vert');
    const fragment = compile(gl, gl.FRAGMENT_SHADER, `${name}.frag`);
    this.#program = gl.createProgram();
    gl.attachShader(this.#program, vertex);
    gl.attachShader(this.#program, fragment);
    gl.bindAttribLocation(this.#program, 0, 'corner');
    gl.linkProgram(this.#program);
    if (!gl.getProgramParameter(this.#program, gl.LINK_STATUS))
      throw new Error(`shader ${name} does not link: ${gl.getProgramInfoLog(this.#program)}`);
    gl.deleteShader(vertex);
    gl.deleteShader(fragment);
  }

  use(inputs: ProgramInputs): void {
    const gl = this.#gl;
    gl.useProgram(this.#program);
    let unit = 0;
    for (const [name, texture] of Object.entries(inputs.textures ?? {})) {
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.bindTexture(gl.TEXTURE_2D, texture.handle);
      const at = this.#location(name);
      if (at) gl.uniform1i(at, unit);
      unit++;
    }
    for (const [name, value] of Object.entries(inputs.matrices ?? {})) {
      const at = this.#location(name);
      if (at) gl.uniformMatrix4fv(at, false, value);
    }
    for (const [name, value] of Object.entries(inputs.floats ?? {})) {
      const at = this.#location(name);
      if (at) setFloats(gl, at, value);
    }
  }

  dispose(): void {
    this.#gl.deleteProgram(this.#program);
  }

  #location(name: string): GlLocation | null {
    let at = this.#locations.get(name);
    if (at === undefined) {
      at = this.#gl.getUniformLocation(this.#program, name);
      this.#locations.set(name, at);
    }
    return at;
  }
}

function setFloats(gl: Gl, at: GlLocation, value: UniformValue): void {
  if (typeof value === 'number') gl.uniform1f(at, value);
  else if (value.length === 2) gl.uniform2f(at, value[0]!, value[1]!);
  else if (value.length === 3) gl.uniform3f(at, value[0]!, value[1]!, value[2]!);
  else gl.uniform4f(at, value[0]!, value[1]!, value[2]!, value[3]!);
}

function compile(gl: Gl, type: number, file: string): GlShader {
  const shader = gl.createShader(type);
  gl.shaderSource(shader, shaderText(file));
  gl.compileShader(shader);
  if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS))
    throw new Error(`shader ${file} does not compile: ${gl.getShaderInfoLog(shader)}`);
  return shader;
}
