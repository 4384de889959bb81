import { createRequire } from 'node:module';
import { ExitCode, UnderstudyError } from '../core/errors.ts';
import type { Gl } from './gl-api.ts';

type CreateContext = (
  width: number,
  height: number,
  options: { createWebGL2Context: true; depth: false; alpha: true; antialias: false },
) => unknown;

/**
 * The headless WebGL 2 context of this thread. One thread of the process may load the library at a time.
 * @throws UnderstudyError(graphics) naming what is missing
 */
export function createGl(): Gl {
  const gl = loadLibrary()(8, 8, { createWebGL2Context: true, depth: false, alpha: true, antialias: false });
  if (!gl) {
    const where = process.env.DISPLAY ? `on the X display ${process.env.DISPLAY}` : 'without an X display';
    throw new UnderstudyError(
      ExitCode.graphics,
      `no GL context could be made ${where}`,
      'install the packages xvfb, libgl1 and libgl1-mesa-dri, or unset DISPLAY when that server is gone',
    );
  }
  const context = gl as Gl;
  if (!context.getExtension('EXT_color_buffer_float') || !context.getExtension('OES_texture_float_linear')) {
    throw new UnderstudyError(
      ExitCode.graphics,
      `the GL driver (${String(context.getParameter(context.RENDERER))}) cannot render to float textures`,
      "install Mesa's software driver (package libgl1-mesa-dri) and set LIBGL_ALWAYS_SOFTWARE=1",
    );
  }
  return context;
}

function loadLibrary(): CreateContext {
  try {
    return createRequire(import.meta.url)('gl') as CreateContext;
  } catch (cause) {
    throw new UnderstudyError(
      ExitCode.graphics,
      'the headless GL library (npm package gl) could not be loaded',
      'run npm ci again, and install the packages libgl1 and libxi6',
      { cause },
    );
  }
}
