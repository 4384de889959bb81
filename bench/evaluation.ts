/**
 * All tables of docs/evaluation.md in one step, written between its two markers, and the report beside it, which shows no faces: `npx tsx bench/evaluation.ts --london DIR [--clips DIR] [--work out/evaluation]
 * [--keys 4] [--only STEP,STEP]`. A step whose JSON is in the work folder already is not run again; delete the folder for a new
 * generator (outputs of another one are refused). Steps run `dist/main.js`, so build first.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type AblationRow, ablationTable } from '../src/evaluate/report/ablation-table.ts';
import { attackMark, attackNotes } from '../src/evaluate/report/attack-marks.ts';
import { type Compared, comparisonTable } from '../src/evaluate/report/comparison-table.ts';
import { PAPER_NOTE } from '../src/evaluate/report/paper-tables.ts';
import type { AttackResult } from '../src/evaluate/result.ts';

const { values } = parseArgs({
  options: {
    london: { type: 'string', default: '../shared/data/london' },
    clips: { type: 'string', default: '' },
    work: { type: 'string', default: 'out/evaluation' },
    keys: { type: 'string', default: '4' },
    only: { type: 'string', default: '' },
    out: { type: 'string', default: 'docs/evaluation.md' },
    report: { type: 'string', default: 'docs/evaluation-report.html' },
  },
});

const NEUTRAL = ['--match', '_neutral'];
const BASELINES = ['blur', 'pixelate', 'mask', 'noise'];
/** Templates of 32 frames need as many looks. */
const LOOKS = ['--frames', '80', '--every', '2'];
const FRAMES = ['--frames', '80', '--every', '10'];
/** Nine rows of every clip. */
const FEW_FRAMES = ['--frames', '40', '--every', '10'];
const ATTACK = ['--method', 'generate', '--attack', '--keys', values.keys];
/** Of a baseline, which no key changes but for the noise. */
const ATTACK_ONCE = ['--attack', '--keys', '1'];

interface Step {
  readonly name: string;
  readonly on: 'london' | 'clips';
  readonly options: readonly string[];
  /** Folder of outputs; shared by steps that look at the same ones. */
  readonly work: string;
  /** Where its report goes, if not into the work folder. */
  readonly html?: string;
}

const jsonOf = (name: string) => join(values.work, `${name}.json`);

const STEPS: readonly Step[] = [
  { name: 'generate', on: 'london', options: [...NEUTRAL, ...ATTACK], work: 'generate' },
  {
    name: 'other-photograph',
    on: 'london',
    options: [...NEUTRAL, ...ATTACK, '--gallery', '_smiling'],
    work: 'generate',
  },
  ...BASELINES.map(
    (m): Step => ({ name: m, on: 'london', options: [...NEUTRAL, '--method', m, ...ATTACK_ONCE], work: m }),
  ),
  { name: 'ablation', on: 'london', options: [...NEUTRAL, '--method', 'generate', '--ablation'], work: 'ablation' },
  {
    name: 'report',
    on: 'london',
    options: [...NEUTRAL, ...ATTACK, '--no-faces', '--compare', ...BASELINES.map(jsonOf)],
    work: 'generate',
    html: values.report,
  },
  { name: 'both-expressions', on: 'london', options: ['--method', 'generate'], work: 'both' },
  {
    name: 'clips-generate',
    on: 'clips',
    options: [...LOOKS, '--method', 'generate', '--attack'],
    work: 'clips-generate',
  },
  ...BASELINES.map(
    (m): Step => ({ name: `clips-${m}`, on: 'clips', options: [...FRAMES, '--method', m], work: `clips-${m}` }),
  ),
  {
    name: 'clips-ablation',
    on: 'clips',
    options: [...FEW_FRAMES, '--method', 'generate', '--ablation'],
    work: 'clips-ablation',
  },
];

const commandOf = ({ on, options }: Step) => `understudy evaluate --originals ${on} ${options.join(' ')}`;

mkdirSync(values.work, { recursive: true });
for (const step of STEPS) {
  const folder = values[step.on];
  const wanted = values.only === '' || values.only.split(',').includes(step.name);
  if (!folder || !wanted || existsSync(jsonOf(step.name))) continue;
  process.stderr.write(`${commandOf(step)}\n`);
  const results = ['--json', jsonOf(step.name), '--html', step.html ?? join(values.work, `${step.name}.html`)];
  const files = ['--work', join(values.work, step.work), ...results];
  const args = ['dist/main.js', 'evaluate', '--originals', folder, ...step.options, ...files];
  const { status } = spawnSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) process.stderr.write(`${step.name} ended with ${status}\n`);
}

interface Result extends Compared {
  readonly machine: string;
  readonly n: number;
  readonly attacks: Readonly<Record<string, AttackResult>>;
  readonly perVideo?: readonly {
    name: string;
    mtcnn?: { uncovered: readonly { frame: number; x: number; y: number; height: number }[] };
  }[];
  readonly ablation?: readonly AblationRow[];
}

function read(name: string): Result | undefined {
  return existsSync(jsonOf(name)) ? (JSON.parse(readFileSync(jsonOf(name), 'utf8')) as Result) : undefined;
}

/** The command above its table. */
function section(title: string, names: readonly string[], table: (found: Result[]) => string): string {
  const steps = STEPS.filter((s) => names.includes(s.name) && read(s.name));
  if (steps.length === 0) return '';
  const commands = steps.map((s) => commandOf(s)).join('\n');
  return `### ${title}\n\n\`\`\`sh\n${commands}\n\`\`\`\n\n${table(steps.map((s) => read(s.name)!))}\n`;
}

function attackTable(columns: readonly (readonly [head: string, attacks: Result['attacks']])[]): string {
  const names = [...new Set(columns.flatMap(([, attacks]) => Object.keys(attacks)))];
  const cell = (name: string, a: AttackResult | undefined) => {
    if (!a) return '–';
    const mark = ['', 'control', 'above 5 %, as chance is'].includes(attackMark(name, a)) ? '' : '\\*';
    return `${a.value.toFixed(3)}${mark} [${a.low?.toFixed(3) ?? '–'}, ${a.high?.toFixed(3) ?? '–'}], n ${a.n ?? '–'}`;
  };
  const rows = names.map((name) => {
    const chance = columns.map(([, attacks]) => attacks[name]?.chance).find((c) => c !== undefined);
    return `| \`${name}\` | ${columns.map(([, attacks]) => cell(name, attacks[name])).join(' | ')} | ${chance?.toFixed(3)} |`;
  });
  const heads = columns.map(([head]) => head);
  return [
    `| attack | ${heads.join(' | ')} | chance |`,
    `|---|${heads.map(() => '---|').join('')}---|`,
    ...rows,
    '',
    '\\*: an AUC outside .45 to .55, a rank-1 above 5 % (where chance is not).',
    ...new Set(columns.flatMap(([, attacks]) => attackNotes(attacks))),
    '',
  ].join('\n');
}

function places(results: readonly Result[]): string {
  const found = (results[0]?.perVideo ?? []).flatMap(({ name, mtcnn }) =>
    (mtcnn?.uncovered ?? []).map((u) => `${name}, frame ${u.frame}: ${u.height} px at ${u.x}, ${u.y}`),
  );
  return `MTCNN's finds left as they were by \`generate\`: ${found.join('; ') || 'none'}.\n`;
}

const BEGIN = '<!-- tables: written by bench/evaluation.ts -->\n';
const END = '<!-- end of tables -->\n';
const tables = [
  section(
    'London set, 102 people, neutral',
    ['generate', ...BASELINES],
    (r) => `${comparisonTable(r, 1)}\n${PAPER_NOTE}\n`,
  ),
  section('Attacks', ['generate', 'other-photograph'], (r) =>
    attackTable(r.map((x, i) => [i === 0 ? 'same photograph' : 'other photograph', x.attacks])),
  ),
  section('Attacks on the baselines', BASELINES, (r) => attackTable(r.map((x) => [x.method, x.attacks]))),
  section("Ablation (the paper's table VI and ours)", ['ablation'], ([r]) => ablationTable(r!.ablation!)),
  section('Neutral and smiling', ['both-expressions'], (r) => comparisonTable(r, 1)),
  section(
    'Clips',
    ['clips-generate', ...BASELINES.map((m) => `clips-${m}`)],
    (r) => `${comparisonTable(r, 1)}\n${places(r)}`,
  ),
  section('Attacks on the clips', ['clips-generate'], ([r]) => attackTable([['rank-1', r!.attacks]])),
  section('Ablation on the clips', ['clips-ablation'], ([r]) => ablationTable(r!.ablation!)),
];
const text = readFileSync(values.out, 'utf8');
const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
if (from < 0 || to < from) throw new Error(`${values.out} has no place for the tables`);
const written = tables.filter(Boolean).join('\n').trimEnd();
writeFileSync(values.out, `${text.slice(0, from + BEGIN.length)}\n${written}\n\n${text.slice(to)}`);
