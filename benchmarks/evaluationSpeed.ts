/**
 * How close is scoring to a bare forward pass?
 *
 * Runs `scoreWindows` and a plain loop of `session.run` that returns logits over the same windows, in turn, and compares the
 * best tokens a second of each. The loop takes one window at a time or the same batches, whichever is faster. Also prints
 * which share of the machine's matrix-multiplication rate the linear layers of the model reach while scoring.
 *
 * node benchmarks/evaluationSpeed.ts [model.onnx | checkpoint folder] [--window-length 256] [--windows 64] [--threads n]
 *   [--batch-tokens n] [--rounds 5] [--baseline]
 *
 * With --baseline the model is compared with itself, against a plain loop over both.
 */
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { scoreWindows } from '../packages/evaluator/src/index.ts';
import { importCheckpoint } from '../packages/importer/src/index.ts';
import {
  createModel,
  DataType,
  findLinearSites,
  node,
  readOnnxModel,
  serializeModel,
  tensorInput,
} from '../packages/onnx/src/index.ts';
import { findLogits, openSession, runSession, textFeeds } from '../packages/runtime/src/index.ts';

const SEED = 1;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'window-length': { type: 'string', default: '256' },
    windows: { type: 'string', default: '64' },
    threads: { type: 'string' },
    'batch-tokens': { type: 'string' },
    rounds: { type: 'string', default: '5' },
    baseline: { type: 'boolean', default: false },
  },
});
const path = positionals[0] ?? join(import.meta.dirname, '..', 'models', 'demo');
const windowLength = Number(values['window-length']);
const windowCount = Number(values.windows);
const threads = values.threads === undefined ? {} : { threads: Number(values.threads) };
const batchTokens = values['batch-tokens'] === undefined ? {} : { batchTokens: Number(values['batch-tokens']) };

const model = path.endsWith('.onnx')
  ? await readOnnxModel(path)
  : (await importCheckpoint(path, { dtype: 'fp32' })).model;
const vocabularySize = findLogits(model).vocabularySize ?? 100;
const windows = randomWindows();

const batchSizes = [...new Set([1, Math.max(1, Math.floor(Number(values['batch-tokens'] ?? 512) / windowLength))])];
let scoredRate = 0;
let bareRate = 0;
let bareBatch = 0;
for (let round = 0; round < Number(values.rounds); round++) {
  for (const batch of batchSizes) {
    const rate = await bareLoop(batch);
    if (rate > bareRate) [bareRate, bareBatch] = [rate, batch];
  }
  scoredRate = Math.max(scoredRate, await scoringLoop());
}
if (values.baseline) bareRate /= 2;
const gemmRate = await measureGemmRate();
const linearWork = 2 * findLinearSites(model).reduce((sum, site) => sum + site.inFeatures * site.outFeatures, 0);
const result = {
  model: path,
  windowLength,
  windowCount,
  vocabularySize,
  scoredTokensPerSecond: Math.round(scoredRate),
  bareTokensPerSecond: Math.round(bareRate),
  bareBatch,
  ratio: Number((scoredRate / bareRate).toFixed(3)),
  gemmGigaflops: Number((gemmRate / 1e9).toFixed(1)),
  shareOfGemmRate: Number(((linearWork * scoredRate * (values.baseline ? 2 : 1)) / gemmRate).toFixed(3)),
  machine: `${cpus().length} x ${cpus()[0]?.model.trim()}`,
  node: process.version,
  seed: SEED,
};
console.log(JSON.stringify(result, null, 2));

/** Tokens a second of a pass that only produces logits. Opening the session and the first run are not counted. */
async function bareLoop(batch: number): Promise<number> {
  const session = await openSession(model, { device: 'cpu', ...threads });
  let started = 0;
  let counted = 0;
  for (let start = 0; start < windows.length; start += batch) {
    const ids = windows.slice(start, start + batch).map(window => window.ids);
    await runSession(session, textFeeds(session, { ids }), path);
    if (start === 0) started = performance.now();
    else counted += ids.length * windowLength;
  }
  const seconds = (performance.now() - started) / 1000;
  await session.release();
  return counted / seconds;
}

/** The same for scoring: progress comes after each batch. */
async function scoringLoop(): Promise<number> {
  let [started, startedAt, ended, endedAt] = [0, 0, 0, 0];
  const onProgress = (done: number) => {
    [endedAt, ended] = [performance.now(), done];
    if (started === 0) [startedAt, started] = [endedAt, ended];
  };
  const baseline = values.baseline ? { baseline: model } : {};
  await scoreWindows(model, windows, { device: 'cpu', ...threads, ...batchTokens, ...baseline, onProgress });
  return ((ended - started) / (endedAt - startedAt)) * 1000;
}

function randomWindows() {
  let state = SEED;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * vocabularySize);
  };
  return Array.from({ length: windowCount }, () => ({
    ids: Int32Array.from({ length: windowLength }, next),
    firstScored: 1,
  }));
}

/** Floating-point operations a second of a float32 product of two matrices of 1536 x 1536, the best of a few. */
async function measureGemmRate(): Promise<number> {
  const size = 1536;
  const shape = [size, size];
  const graph = createModel({
    folder: '.',
    inputs: [tensorInput('a', DataType.FLOAT, shape), tensorInput('b', DataType.FLOAT, shape)],
    outputs: [tensorInput('c', DataType.FLOAT, shape)],
    nodes: [node('MatMul', ['a', 'b'], ['c'])],
  });
  const options = values.threads === undefined ? {} : { intraOpNumThreads: Number(values.threads) };
  const session = await InferenceSession.create(serializeModel(graph), options);
  const matrix = new Tensor('float32', new Float32Array(size * size).fill(0.5), shape);
  let best = Number.POSITIVE_INFINITY;
  for (let trial = 0; trial < 10; trial++) {
    const started = performance.now();
    await session.run({ a: matrix, b: matrix });
    best = Math.min(best, performance.now() - started);
  }
  await session.release();
  return (2 * size ** 3) / (best / 1000);
}
