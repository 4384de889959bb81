import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { knownKeys, loadConfig } from '../../src/config/loader.ts';

const load = (sets: string[], env: Record<string, string> = {}, file?: string) =>
  loadConfig({ sets, env, ...(file && { file }) });

const settings = (text: string) => {
  const file = join(mkdtempSync(join(tmpdir(), 'understudy-config-')), 'c.yaml');
  writeFileSync(file, text);
  return file;
};

describe('configuration', () => {
  it('documents every key, with the default that is in force', () => {
    const text = readFileSync('configs/default.yaml', 'utf8');
    expect(load([], {}, 'configs/default.yaml')).toEqual(load([]));
    for (const key of knownKeys()) expect(text, key).toMatch(new RegExp(`^ *${key.split('.').at(-1)}:.*#`, 'm'));
  });

  it('lets --set win over the environment and the environment over the file', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'understudy-config-')), 'c.yaml');
    writeFileSync(file, 'egress:\n  crf: 30\n  codec: vp9\nmode: blur\n');
    const config = load(['egress.crf=18'], { UNDERSTUDY_EGRESS__CRF: '25', UNDERSTUDY_EGRESS__CODEC: 'h265' }, file);
    expect(config.egress).toMatchObject({ crf: 18, codec: 'h265' });
    expect(config.mode).toBe('blur');
  });

  it('refuses an unknown key and names the nearest', () => {
    expect(() => load(['track.lookaheadFrame=3'])).toThrow('there is no setting track.lookaheadFrame');
    try {
      load(['track.lookaheadFrame=3']);
    } catch (error) {
      expect((error as { remedy: string }).remedy).toContain('track.lookaheadFrames');
    }
  });

  it('refuses wrong types and ranges, files that are missing or no YAML', () => {
    expect(() => load(['egress.crf=fast'])).toThrow(/egress\.crf/);
    expect(() => load(['post.sigmaInterocular=0.1'])).toThrow(/post\.sigmaInterocular/);
    expect(() => load(['mode'])).toThrow(/has no value/);
    expect(() => load([], {}, '/nowhere.yaml')).toThrow(/cannot be read/);
    const bad = join(mkdtempSync(join(tmpdir(), 'understudy-config-')), 'bad.yaml');
    writeFileSync(bad, 'a: [1,\nb');
    expect(() => load([], {}, bad)).toThrow(/is not YAML/);
  });

  it('says what is wrong with a value that is no YAML, or a file that holds no settings', () => {
    expect(() => load(['infer.executionProviders=[1'])).toThrow(/the value of infer\.executionProviders is not YAML: /);
    for (const text of ['hello', '- a\n- b', '3'])
      expect(() => load([], {}, settings(text))).toThrow(/holds no settings/);
  });

  it('takes a section whose settings are all commented out for an empty one', () => {
    expect(load([], {}, settings('egress:\n  # crf: 30\nmode: blur\n'))).toEqual(load(['mode=blur']));
    expect(load([], {}, settings('serve:\n  streams:\n    live:\n')).serve.streams).toEqual({ live: { outputs: [] } });
    expect(load([], {}, settings('serve:\n  streams:\n')).serve.streams).toEqual({});
    expect(() => load([], {}, settings('egress:\n  crf:\n'))).toThrow(/egress\.crf is wrong/);
  });

  it('leaves text as it is where a setting takes text', () => {
    const { serve, ffmpeg, egress } = load([
      ...['serve.host=::', 'serve.streams.live.publishToken=12345', 'serve.streams.live.viewToken=0x1F'],
      ...['ffmpeg.path=/a: b', 'egress.preset=[1', "serve.tlsCert=''", 'serve.udpPorts="8189-8289"'],
    ]);
    expect(serve).toMatchObject({ host: '::', tlsCert: '', udpPorts: '8189-8289' });
    expect(serve.streams.live).toMatchObject({ publishToken: '12345', viewToken: '0x1F' });
    expect([ffmpeg.path, egress.preset]).toEqual(['/a: b', '[1']);
  });

  it('knows the streams in the environment too', () => {
    const env = { UNDERSTUDY_SERVE__STREAMS__LIVE__PUBLISHTOKEN: '007', UNDERSTUDY_SERVE__STREAMS__B__VIEWTOKEN: 'b' };
    expect(load([], env).serve.streams).toMatchObject({ live: { publishToken: '007' }, b: { viewToken: 'b' } });
    const file = settings('serve:\n  streams:\n    Room: {}\n');
    const room = { UNDERSTUDY_SERVE__STREAMS__ROOM__PUBLISHTOKEN: 'x' };
    expect(load([], room, file).serve.streams).toEqual({ Room: { publishToken: 'x', outputs: [] } });
  });

  it('reaches nothing but settings', () => {
    expect(() => load(['__proto__.x=1'])).toThrow('there is no setting __proto__.x');
    expect(() => load(['egress.__proto__.x=1'])).toThrow(/there is no setting/);
    expect(() => load(['constructor.prototype.x=1'])).toThrow(/there is no setting constructor/);
    expect(() => load([], {}, settings('__proto__:\n  x: 1\n'))).toThrow(/there is no setting/);
    expect(({} as { x?: unknown }).x).toBe(undefined);
  });

  it('refuses addresses that nothing can be made of', () => {
    const wrong = [
      ...[
        'serve.additionalHosts=[not a host]',
        "serve.additionalHosts=['http://a']",
        'serve.iceServers=[{urls: x.org}]',
      ],
      ...['serve.iceServers=[{urls: []}]', 'serve.streams.live.outputs=[file.mp4]'],
      ...['serve.streams.live.outputs=["udp://127.0.0.1"]', 'serve.streams.live.outputs=["gopher://x"]'],
    ];
    for (const set of wrong) expect(() => load([set]), set).toThrow(/^the setting serve\.\S+ is wrong: /);
    const { serve } = load([
      ...['serve.additionalHosts=[203.0.113.5, "::1", relay.example.org]'],
      ...['serve.iceServers=[{urls: "stun:a:3478"}, {urls: ["turn:a", "turns:a:5349?transport=tcp"], username: u}]'],
      ...['serve.streams.live.outputs=["rtsp://u:p@h/x", "udp://@239.0.0.1:5000?ttl=2", "srt://[::1]:9"]'],
    ]);
    expect(serve.additionalHosts).toHaveLength(3);
    expect(serve.iceServers).toHaveLength(2);
    expect(serve.streams.live?.outputs).toHaveLength(3);
  });
});
