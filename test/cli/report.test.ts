import { describe, expect, it } from 'vitest';
import { runReport } from '../../src/cli/report.ts';
import { loadConfig } from '../../src/config/loader.ts';

describe('runReport', () => {
  it('has the settings and none of the secrets among them', () => {
    const key = '0123456789abcdef0123456789abcdef';
    const sets = [
      'egress.crf=23',
      `sessionKey=${key}`,
      'serve.streams={"door": {"publishToken": "hunter2", "source": "rtsp://camera:hunter3@10.0.0.7/live"}}',
      'serve.iceServers=[{"urls": "turn:10.0.0.8", "username": "u", "credential": "hunter4"}]',
    ];
    const text = JSON.stringify(runReport(loadConfig({ sets, env: {} }), {}));
    expect(text).toContain('"crf":23');
    expect(text).not.toMatch(/hunter/);
    expect(text).not.toContain(key);
  });
});
