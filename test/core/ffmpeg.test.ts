import { createRequire } from 'node:module';
import { expect, it } from 'vitest';
import { findFfmpeg } from '../../src/core/ffmpeg.ts';

it('knows the packaged ffmpeg for an old one, though its version is the number of a commit', async () => {
  const { path } = createRequire(import.meta.url)('@ffmpeg-installer/ffmpeg') as { path: string };
  const tool = await findFfmpeg(path);
  expect(tool.version).toMatch(/^N-\d+/);
  expect(tool.modern).toBe(false);
});
