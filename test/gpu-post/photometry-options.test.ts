import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/loader.ts';
import { ExitCode, type UnderstudyError } from '../../src/core/errors.ts';
import { FACE_SLOT_BYTES } from '../../src/core/face-slot.ts';
import { Compositor } from '../../src/gpu-post/compositor.ts';
import { type PhotometryOptions, refuseIdentifying } from '../../src/gpu-post/photometry-options.ts';

const base = { relight: true, colour: true, sigmaInterocular: 0.24 } as const;
const refusal = (options: PhotometryOptions): UnderstudyError | undefined => {
  try {
    refuseIdentifying(options);
    return undefined;
  } catch (error) {
    return error as UnderstudyError;
  }
};

describe('refusal of shadings that give the person back', () => {
  it('names the key and the least value', () => {
    const cases: [Partial<PhotometryOptions>, RegExp, RegExp][] = [
      [{ sigmaInterocular: 0.2 }, /sigmaInterocular = 0\.2/, /0\.24/],
      [{ sigmaInterocular: Number.NaN }, /sigmaInterocular/, /0\.24/],
      [{ shading: 'bilateral', sigmaInterocular: 0.24 }, /sigmaInterocular = 0\.24.*bilateral/, /0\.4/],
      [{ shading: 'bilateral', sigmaInterocular: 0.4, sigmaRange: 0.1 }, /sigmaRange = 0\.1/, /0\.5/],
    ];
    for (const [options, message, remedy] of cases) {
      const error = refusal({ ...base, ...options });
      expect(error?.message).toMatch(message);
      expect(error?.remedy).toMatch(remedy);
      expect(error?.exitCode).toBe(ExitCode.usage);
    }
  });

  it('lets wide ones through, and the literal one only for the ablation', () => {
    expect(refusal(base)).toBeUndefined();
    expect(refusal({ ...base, shading: 'bilateral', sigmaInterocular: 0.4, sigmaRange: 0.5 })).toBeUndefined();
    const literal = { ...base, shading: 'bilateral', sigmaInterocular: 0.08, sigmaRange: 0.1 } as const;
    expect(refusal(literal)).toBeDefined();
    expect(refusal({ ...literal, allowIdentifying: true })).toBeUndefined();
  });

  it('happens before the compositor starts, and no setting can lift it', async () => {
    const photometry = { ...base, shading: 'bilateral', sigmaInterocular: 0.3 } as const;
    const faceMemory = new SharedArrayBuffer(FACE_SLOT_BYTES);
    await expect(Compositor.start({ mode: 'generate', faceMemory, faceSize: 128, photometry })).rejects.toThrow(
      /features back/,
    );
    expect(() => loadConfig({ sets: ['post.allowIdentifying=true'], env: {} })).toThrow(/allowIdentifying/);
    expect(() => loadConfig({ sets: ['post.sigmaRange=0.1'], env: {} })).toThrow(/sigmaRange/);
  });
});
