import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../src/config/loader.ts';

const instructions = readFileSync('docker/Dockerfile', 'utf8')
  .replace(/^#.*\n/gm, '')
  .replace(/\\\n/g, ' ')
  .split('\n')
  .filter(Boolean)
  .map((line) => ({ name: line.split(' ')[0]!, words: line.trim().split(/\s+/).slice(1) }));
const ignored = readFileSync('.dockerignore', 'utf8').trim().split('\n');

interface Service {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly network_mode: string;
  readonly command?: readonly string[];
}

describe('the Docker image', () => {
  it('has the packages that setup.sh installs', () => {
    const setup = /^ {2}packages=\(([^)]+)\)/m.exec(readFileSync('scripts/setup.sh', 'utf8'))![1]!.split(' ');
    const { words } = instructions.find(({ words }) => words.includes('install'))!;
    const installed = words.slice(words.indexOf('--no-install-recommends') + 1);
    expect(installed.slice(0, installed.indexOf('&&')).sort()).toEqual(setup.sort());
  });

  it('copies what is there and is not kept out, and lets no one be root', () => {
    const copied = instructions.filter(({ name, words }) => name === 'COPY' && !words[0]!.startsWith('--from'));
    for (const path of copied.flatMap(({ words }) => words.slice(0, -1))) {
      expect(existsSync(path), path).toBe(true);
      expect(ignored).not.toContain(path);
    }
    // What the build makes must not come from the machine it is built on.
    expect(ignored).toEqual(expect.arrayContaining(['node_modules', 'dist', '.cache']));
    for (const path of ignored.filter((p) => p.includes('.pt'))) expect(existsSync(path), path).toBe(true);
    expect(instructions.filter(({ name }) => name === 'USER').map(({ words }) => words[0])).toEqual(['node']);
  });

  it('opens the ports of the settings, and is what compose starts', () => {
    const { port, metricsPort } = loadConfig({ sets: [], env: {} }).serve;
    const exposed = instructions.filter(({ name }) => name === 'EXPOSE').flatMap(({ words }) => words);
    expect(exposed).toEqual([`${port}/tcp`, `${metricsPort}/tcp`]);
    const { services } = parse(readFileSync('docker/compose.yaml', 'utf8')) as { services: Record<string, Service> };
    expect(Object.keys(services)).toEqual(['mediamtx', 'camera', 'relay']);
    const ours = Object.values(services).filter((service) => service.build);
    expect(ours.map(({ command }) => command![0])).toEqual(['run', 'serve']);
    for (const { build } of ours) expect(existsSync(`docker/${build!.context}/${build!.dockerfile}`)).toBe(true);
    expect(JSON.stringify(services.relay)).toContain(`:${metricsPort}/readyz`);
  });
});
