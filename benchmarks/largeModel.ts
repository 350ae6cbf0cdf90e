/**
 * How big a model, how long? GPTQ 4 bits, groups of 128, on a synthetic checkpoint of a published shape, scored before and after:
 * peak memory of the process, and where the time goes, next to what the products alone would take. Shares are of processor time, of all
 * threads together, which other work on the machine does not change; waiting for the disk is in the time alone.
 *   node benchmarks/largeModel.ts --shape llama-3.2-1b [--blocks n] [--windows 16] [--threads n]
 * `--blocks` makes fewer blocks of the same size, and also tells what the whole model would take: each part in the ratio of its
 * multiply-adds, or bytes. Peak memory does not depend on the number of blocks.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { compress, type PipelineEvent, parseMethod, resolveRecipe } from '@quern/pipeline';
import { chooseEngine, gemm } from '../packages/linalg/src/index.ts';
import { type CheckpointShape, shapes } from '../tools/syntheticCheckpoint/shapes.ts';
import { describeMachine, scratchFolder } from './machine.ts';

const { values } = parseArgs({
  options: {
    shape: { type: 'string', default: 'llama-3.2-1b' },
    blocks: { type: 'string' },
    windows: { type: 'string', default: '16' },
    threads: { type: 'string', default: String(availableParallelism()) },
    keep: { type: 'boolean', default: false },
  },
});
const whole = shapes[values.shape];
if (!whole) throw new Error(`--shape ${values.shape}: one of ${Object.keys(shapes).join(', ')}`);
const shape = { ...whole, blockCount: Number(values.blocks ?? whole.blockCount) };
const threads = Number(values.threads);
const WINDOW = 512;
const EVALUATION_BYTES = 12_000;

const root = join(import.meta.dirname, '..');
const checkpoint = scratchFolder(`${values.shape}-${shape.blockCount}`);
const out = scratchFolder(`${values.shape}-${shape.blockCount}-q4`);
if (!existsSync(join(checkpoint, 'config.json'))) {
  const main = join(root, 'tools', 'syntheticCheckpoint', 'main.ts');
  const given = [main, values.shape, checkpoint, '--blocks', String(shape.blockCount)];
  await promisify(execFile)(process.execPath, given);
}
const text = scratchFolder('evaluation.txt');
const evaluation = await readFile(join(root, 'calib-data', 'stories', 'evaluation.txt'));
await writeFile(text, evaluation.subarray(0, EVALUATION_BYTES));

type Part = 'read' | 'evaluate original' | 'capture' | 'solve' | 'write' | 'evaluate result' | 'evaluate exactly';
const seconds = new Map<Part, number>();
const processorSeconds = new Map<Part, number>();
let current: Part = 'read';
let last = performance.now();
let lastProcessor = processorTime();
const started = last;
const recipe = resolveRecipe({
  ...parseMethod('gptq:4:128'),
  calibration: { windows: Number(values.windows), windowLength: WINDOW },
});
const { perplexity, windowsUsed, storage } = await compress(
  {
    model: checkpoint,
    out,
    recipe,
    evaluate: text,
    windowLength: WINDOW,
    perDocument: false,
    device: 'cpu',
    threads,
    force: true,
    resume: false,
  },
  charge,
);
charge({ kind: 'stage', stage: 'open', detail: 'end' });
const wallSeconds = (last - started) / 1000;
const peakBytes = 1024 * process.resourceUsage().maxRSS;
const rates = await measureRates();

const calibrationTokens = windowsUsed * WINDOW;
const scoredTokens = perplexity!.tokenCount;
const own = work(shape);
const all = work(whole);
console.log(`${describeMachine()}; ${threads} threads`);
console.log(
  `${values.shape}, ${shape.blockCount} of ${whole.blockCount} blocks, ${windowsUsed} windows of ${WINDOW} tokens, ` +
    `${scoredTokens} tokens scored three times, ${storage.bitsPerWeight!.toFixed(2)} stored bits a weight`,
);
console.log(
  `products, one thread: ${(rates.single / 1e9).toFixed(0)} GFLOP/s in float32, ${(rates.double / 1e9).toFixed(0)} in float64`,
);
console.log(`peak memory ${(peakBytes / 1e9).toFixed(2)} GB\n`);
console.log(
  '| part | time | processor time | share of the products alone | processor time, all blocks |\n|---|---|---|---|---|',
);
let [total, totalAll] = [0, 0];
for (const [part, time] of seconds) {
  const { flops, rate, ratio } = limitOf(part);
  const processor = processorSeconds.get(part)!;
  const share = flops === null ? '-' : `${((100 * flops) / rate / processor).toFixed(0)} %`;
  total += processor;
  totalAll += processor * ratio;
  const times = [time, processor].map(value => `${value.toFixed(1)} s`).join(' | ');
  console.log(`| ${part} | ${times} | ${share} | ${(processor * ratio).toFixed(0)} s |`);
}
console.log(`| together | ${wallSeconds.toFixed(1)} s | ${total.toFixed(1)} s | | ${totalAll.toFixed(0)} s |`);
await rm(out, { recursive: true, force: true });
if (!values.keep) await rm(checkpoint, { recursive: true, force: true });

/** Time since the event before goes to what this event reports as done; a stage that begins ends the one before. */
function charge(event: PipelineEvent): void {
  if (event.kind === 'warning') return;
  const isSolving = event.kind === 'progress' && event.stage === 'solve';
  const part = isSolving ? (event.detail?.includes('capture') ? 'capture' : 'solve') : current;
  const now = performance.now();
  const processor = processorTime();
  seconds.set(part, (seconds.get(part) ?? 0) + (now - last) / 1000);
  processorSeconds.set(part, (processorSeconds.get(part) ?? 0) + processor - lastProcessor);
  [last, lastProcessor] = [now, processor];
  if (event.kind !== 'stage') return;
  if (event.stage === 'open' || event.stage === 'hash') current = 'read';
  else current = event.stage as Part;
}

/** Seconds that this process has had of all cores. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

interface Work {
  readonly capture: number;
  readonly solve: number;
  readonly evaluate: number;
  readonly bytes: number;
}

/** Floating-point operations of the products that cannot be avoided, attention's own left out; bytes of the checkpoint. */
function work(of: CheckpointShape): Work {
  const { hiddenSize: hidden, intermediateSize: middle, headSize, headCount, keyValueHeadCount, blockCount } = of;
  const queries = headCount * headSize;
  const keys = keyValueHeadCount * headSize;
  // Inputs and outputs of the seven weights of a block.
  const sites = [
    [hidden, queries],
    [hidden, keys],
    [hidden, keys],
    [queries, hidden],
    [hidden, middle],
    [hidden, middle],
    [middle, hidden],
  ] as const;
  const weights = sites.reduce((sum, [inputs, outputs]) => sum + inputs * outputs, 0);
  const grams = [hidden, queries, hidden, middle].reduce((sum, inputs) => sum + inputs ** 2, 0);
  // Factor, errors carried, and the error of the outputs: see gptq and relativeOutputError.
  const solve = sites.reduce((sum, [n, m]) => sum + n ** 3 + n ** 2 * m + 2 * n ** 2 * m, 0);
  const table = of.vocabularySize * hidden;
  return {
    capture: calibrationTokens * ((4 * blockCount - 2) * weights + 2 * blockCount * grams),
    solve: blockCount * solve,
    evaluate: 2 * scoredTokens * (blockCount * weights + table),
    bytes: 2 * (blockCount * weights + table * (of.tied ? 1 : 2)),
  };
}

function limitOf(part: Part): { flops: number | null; rate: number; ratio: number } {
  if (part === 'read' || part === 'write') return { flops: null, rate: 1, ratio: all.bytes / own.bytes };
  const kind = part === 'capture' || part === 'solve' ? part : 'evaluate';
  return { flops: own[kind], rate: part === 'solve' ? rates.double : rates.single, ratio: all[kind] / own[kind] };
}

/** FLOP/s of one thread in products of 2048 x 2048, by its processor time. */
async function measureRates(): Promise<{ single: number; double: number }> {
  const n = 2048;
  const best = async (data: Float32Array | Float64Array): Promise<number> => {
    for (let index = 0; index < data.length; index++) data[index] = Math.sin(index);
    const matrix = { rows: n, columns: n, data };
    let least = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 5; round++) {
      const begun = processorTime();
      await gemm(matrix as { rows: number; columns: number; data: Float32Array }, matrix as never);
      least = Math.min(least, processorTime() - begun);
    }
    return (2 * n ** 3) / least;
  };
  await chooseEngine({ threads: 1 });
  return { single: await best(new Float32Array(n * n)), double: await best(new Float64Array(n * n)) };
}
