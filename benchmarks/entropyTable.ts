/**
 * Fixed widths against entropy coding, by what the files take: stored bits per weight, perplexity, distance from the original, times.
 *
 * `node benchmarks/entropyTable.ts [model] [--data <sets|files, by commas>] [--calibration <set|file>] [--rows rtn:4,gptq:4/shrinkSearch=true,watersic:2.5]
 * [--plot <file.svg>]`
 * A row is a method as the command line takes it, and after each `/` an option of its solver.
 * Every row is a packed folder that was written and then read back. "fixed" counts codes as bit planes at their own width (float16
 * scales of groups of 32 as they are), "stored" what the packed file takes: both from the files, of the solved sites. "decode" is the
 * time to rebuild all data files, "load" the time to open a session on them; best of 5, one thread decodes. At the end every fixed
 * width against the entropy-coded file next below it in bytes, on the same tokens.
 */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { externalData, openPacked } from '@quern/loader';
import { compress, resolveRecipe } from '@quern/pipeline';
import { InferenceSession } from 'onnxruntime-node';
import { drawRates, lineOf, type RatePoint } from './drawRates.ts';
import { describeMachine, scratchFolder } from './machine.ts';
import { readRow } from './readRow.ts';
import { type PooledScore, pairScores, scoreTexts } from './scoreTexts.ts';

const ROWS = [
  'rtn:2,rtn:3,rtn:4,rtn:6,rtn:8,hqq:2,hqq:3,hqq:4,hqq:6,hqq:8',
  'gptq:2,gptq:3,gptq:4,gptq:6,gptq:8,gptq:2/shrinkSearch=true,gptq:3/shrinkSearch=true,gptq:4/shrinkSearch=true',
  'awq:2,awq:3,awq:4,awq:6,awq:8,aqlm:2,aqlm:3,aqlm:4,aqlm:6,aqlm:8',
  'watersic:1.25,watersic:1.5,watersic:2,watersic:2.5,watersic:3,watersic:3.5,watersic:4,watersic:6,watersic:8',
].join(',');
const ROUNDS = 5;

interface Row extends RatePoint {
  readonly name: string;
  readonly score: PooledScore;
  /** Of the packed file. */
  readonly bytes: number;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: 'string', default: 'stories' },
    calibration: { type: 'string', default: 'stories' },
    rows: { type: 'string', default: ROWS },
    plot: { type: 'string' },
  },
});
const model = positionals[0] ?? join(import.meta.dirname, '..', 'models', 'demo');
const texts = values.data.split(',');
const out = scratchFolder(`entropy-table-${process.pid}`);

console.log(`${describeMachine()}; calibration ${values.calibration}, scored on ${values.data}`);
console.log(
  '| method | fixed | stored | data file | perplexity | nats/token (paired) | KL, nats | solve | decode | load |',
);
console.log('|---|---|---|---|---|---|---|---|---|---|');
const rows: Row[] = [];
for (const row of values.rows.split(',')) rows.push(await printRow(row));
for (const row of rows) printRival(row);
if (values.plot)
  await writeFile(values.plot, drawRates(rows, `${basename(model)}, scored on ${basename(values.data)}`));
await rm(out, { recursive: true, force: true });

async function printRow(row: string): Promise<Row> {
  const folder = join(out, row.replace(/[:/]/g, '-'));
  const recipe = resolveRecipe({ ...readRow(row), storage: 'packed', calibration: { data: values.calibration } });
  const request = {
    model,
    out: folder,
    recipe,
    evaluate: null,
    perDocument: false,
    device: 'cpu',
    force: true,
    resume: false,
  } as const;
  const started = performance.now();
  const { storage, sites, files } = await compress(request, () => undefined);
  const solve = (performance.now() - started) / 1000;
  const score = await scoreTexts(folder, model, texts);
  const elements = (8 * storage.storedBytes) / storage.bitsPerWeight!;
  const planeBits = sites.reduce((sum, site) => sum + site.packed!.planeBits, 0) / elements;
  const packed = files.find(file => file.path.endsWith('.quern'))!;
  const { decode, load } = await openTimes(join(folder, 'onnx'));
  const cells = [
    row,
    row.startsWith('watersic') ? '-' : planeBits.toFixed(3),
    storage.bitsPerWeight!.toFixed(3),
    packed.bytes.toLocaleString('en'),
    `${score.perplexity.toFixed(3)} +- ${score.perplexityError.toFixed(3)}`,
    `${score.difference.toFixed(4)} +- ${score.differenceError.toFixed(4)}`,
    score.divergence.toFixed(4),
    `${solve.toFixed(0)} s`,
    `${decode.toFixed(0)} ms`,
    `${load.toFixed(0)} ms`,
  ];
  console.log(`| ${cells.join(' | ')} |`);
  const bits = storage.bitsPerWeight!;
  return { name: row, score, bytes: packed.bytes, method: lineOf(row), bits, divergence: score.divergence };
}

/** The best entropy-coded file of no more bytes, with this one as the baseline. */
function printRival(fixed: Row): void {
  if (fixed.method === 'watersic') return;
  const smaller = rows.filter(({ method, bytes }) => method === 'watersic' && bytes <= fixed.bytes);
  const rival = smaller.toSorted((left, right) => right.bytes - left.bytes)[0];
  if (!rival) return;
  const { loss } = pairScores(rival.score, fixed.score);
  const difference = `${loss.value.toFixed(4)} +- ${loss.standardError.toFixed(4)} nats/token`;
  console.log(
    `${rival.name} less ${fixed.name}: ${difference}, ${(fixed.bytes - rival.bytes).toLocaleString('en')} bytes fewer`,
  );
}

/** Milliseconds to rebuild the data files and to open a session on them. */
async function openTimes(folder: string): Promise<{ decode: number; load: number }> {
  const names = await readdir(folder);
  const path = join(folder, names.find(name => name.endsWith('.quern'))!);
  const header = await readFile(join(folder, names.find(name => name.endsWith('.onnx'))!));
  let [decode, load] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    const data = await externalData(await openPacked(path));
    const decoded = performance.now();
    const session = await InferenceSession.create(header, { externalData: data });
    load = Math.min(load, performance.now() - decoded);
    decode = Math.min(decode, decoded - start);
    await session.release();
  }
  return { decode, load };
}
