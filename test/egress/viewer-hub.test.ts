import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { planeLayout } from '../../src/core/video-frame.ts';
import type { Viewer } from '../../src/egress/webrtc/viewer.ts';
import { ViewerHub } from '../../src/egress/webrtc/viewer-hub.ts';
import { Compositor } from '../../src/gpu-post/compositor.ts';
import { childrenWith } from '../live/processes.ts';

const format = { width: 1280, height: 720, colour: { matrix: 'bt709', range: 'limited' } } as const;

/** Whether the process can still read what was written to it. */
const reads = (pid: number) => existsSync(`/proc/${pid}/fd/0`);

describe('ViewerHub', () => {
  it('gives a frame back only when no encoder is being sent it, also when another one cannot be started', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'understudy-hub-'));
    const script = join(folder, 'encoder');
    // Takes nothing: what is sent to it stays in the pipe.
    writeFileSync(script, `#!/bin/sh\necho $$ > ${folder}/pid\nexec sleep 60\n`);
    chmodSync(script, 0o755);
    let starts = 0;
    const tool = {
      get path() {
        if (starts++ > 0) throw new Error('too many open files');
        return script;
      },
      ...{ version: '5', encoders: new Set<string>(), probePath: undefined, modern: true },
    };
    const hub = new ViewerHub(tool, { rungsKbps: [500], minKbps: 100 });
    const viewer = { connected: true, restart: () => {}, takeMostLost: () => 0 };
    for (const codec of ['vp8', 'h264'] as const) hub.add({ ...viewer, codec } as unknown as Viewer);
    const photometry = {} as never;
    const compositor = await Compositor.start({
      ...{ faceMemory: new SharedArrayBuffer(4), faceSize: 128, mode: 'mask', photometry },
    });
    const memory = new SharedArrayBuffer(planeLayout(1280, 720).byteLength);
    let readWhenReleased: boolean | undefined;
    const release = () => {
      readWhenReleased = reads(Number(readFileSync(join(folder, 'pid'), 'utf8')));
    };
    const frame = compositor.veil({ sequence: 0, timestampUs: 0, format }, { index: 0, memory, release });
    await expect(hub.write(frame)).rejects.toThrow('too many open files');
    expect(readWhenReleased).toBe(false);
    rmSync(folder, { recursive: true });
  });

  it('starts no encoder for another bit rate while the publisher’s last pictures come out: it would never end', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'understudy-hub-'));
    const script = join(folder, 'encoder');
    // Does not end with its input: it is waited for.
    writeFileSync(script, `#!/bin/sh\necho x >> ${folder}/starts\ncat > /dev/null\nexec sleep 60\n`);
    chmodSync(script, 0o755);
    const tool = { path: script, version: '5', encoders: new Set<string>(), probePath: undefined, modern: true };
    vi.useFakeTimers({ toFake: ['setInterval'] });
    try {
      const hub = new ViewerHub(tool, { rungsKbps: [500, 1000], minKbps: 100 });
      const viewer = {
        ...{ codec: 'vp8', connected: true, estimateKbps: 2000, peer: { close: async () => {} } },
        ...{ restart: () => {}, takeMostLost: () => 0 },
      };
      hub.add(viewer as unknown as Viewer);
      const compositor = await Compositor.start({
        ...{ faceMemory: new SharedArrayBuffer(4), faceSize: 128, mode: 'mask', photometry: {} as never },
      });
      const memory = new SharedArrayBuffer(planeLayout(1280, 720).byteLength);
      const slot = { index: 0, memory, release: () => {} };
      await hub.write(compositor.veil({ sequence: 0, timestampUs: 0, format }, slot));
      viewer.estimateKbps = 600;
      const finished = hub.finish();
      vi.advanceTimersByTime(2000);
      await finished;
      expect(childrenWith(script)).toEqual([]);
      await hub.close();
    } finally {
      vi.useRealTimers();
      rmSync(folder, { recursive: true });
    }
  });
});
