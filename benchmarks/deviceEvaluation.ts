/**
 * How close does scoring on a device come to what the device can do?
 *
 * Scores random windows of a model and prints tokens a second beside two limits that were measured on the same device: a float32
 * product (the model's multiply-adds at that rate) and a sum of matrices (its weights read once a batch at that rate). The CPU
 * scores the same windows, or a few of them. Prints Markdown.
 *
 * node benchmarks/deviceEvaluation.ts [model.onnx | checkpoint folder | 350m | llama-3.2-1b | ...] [--device webgpu] [--window-length 256]
 *   [--windows 256] [--cpu-windows 8] [--batch-tokens n] [--baseline]
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { clusteredMean, type ScoreOptions, scoreWindows } from '../packages/evaluator/src/index.ts';
import { importCheckpoint } from '../packages/importer/src/index.ts';
import { findLinearSites, readOnnxModel } from '../packages/onnx/src/index.ts';
import { type Device, describeGpus, deviceMemory, findLogits, measureDevice } from '../packages/runtime/src/index.ts';
import { useGpu } from '../tools/gpu/useGpu.ts';
import { shapes } from '../tools/syntheticCheckpoint/shapes.ts';
import { writeSyntheticCheckpoint } from '../tools/syntheticCheckpoint/writeSyntheticCheckpoint.ts';
import { describeMachine, scratchFolder } from './machine.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    device: { type: 'string', default: 'webgpu' },
    'window-length': { type: 'string', default: '256' },
    windows: { type: 'string', default: '256' },
    'cpu-windows': { type: 'string', default: '8' },
    'batch-tokens': { type: 'string' },
    baseline: { type: 'boolean', default: false },
  },
});
const demo = join(import.meta.dirname, '..', 'models', 'demo');
const device = values.device as Device;
const gpu = device === 'webgpu' ? await useGpu() : null;
if (device === 'webgpu' && gpu === null) process.exit(2);
const windowLength = Number(values['window-length']);
const path = await modelPath(positionals[0] ?? demo);
const model = path.endsWith('.onnx')
  ? await readOnnxModel(path)
  : (await importCheckpoint(path, { dtype: 'fp32' })).model;
const vocabularySize = findLogits(model).vocabularySize ?? 100;
const parameters = findLinearSites(model).reduce((sum, site) => sum + site.outFeatures * site.inFeatures, 0);
// The head is a product too, tied or not: it stands outside of the blocks.
const multiplied = parameters + vocabularySize * (findLinearSites(model)[0]?.inFeatures ?? 0);

const rows = [await measure(device, Number(values.windows)), await measure('cpu', Number(values['cpu-windows']))];
const cards = await describeGpus();
const adapter = gpu?.kind === 'SwiftShader' ? 'SwiftShader, on the processor' : cards.join('; ');
const free = await deviceMemory(device);
console.log(`${describeMachine()}; ${device}: ${adapter || 'an adapter without a name'}`);
console.log(
  `${path}: ${(multiplied / 1e6).toFixed(1)} M multiply-adds a token, windows of ${windowLength}, free device memory ${free === null ? 'unknown' : `${(free / 2 ** 30).toFixed(1)} GiB`}\n`,
);
console.log(
  '| device | tokens/s | GEMM, GFLOP/s | share of it | sum of matrices, GB/s | share of it | tokens a batch | first batch | perplexity |',
);
console.log('|---|---|---|---|---|---|---|---|---|');
for (const { name, rate, speed, batchTokens, firstMs, perplexity } of rows) {
  const share = (2 * multiplied * rate) / speed.gemmFlops;
  // Weights in float32, read once a batch.
  const byteShare = (4 * multiplied * rate) / batchTokens / speed.copyBytes;
  console.log(
    `| ${name} | ${Math.round(rate).toLocaleString('en')} | ${(speed.gemmFlops / 1e9).toFixed(1)} | ${(100 * share).toFixed(1)} % | ` +
      `${(speed.copyBytes / 1e9).toFixed(1)} | ${(100 * byteShare).toFixed(1)} % | ${batchTokens} | ${Math.round(firstMs)} ms | ${perplexity.toFixed(3)} |`,
  );
}
console.log(
  `\n${device} scores ${(rows[0]!.rate / rows[1]!.rate).toFixed(2)} times as many tokens a second as the CPU.`,
);
process.exit(0);

/** Opening the session and the first batch, which compiles kernels, are not counted. The perplexity is that of the first windows. */
async function measure(name: Device, windowCount: number) {
  const windows = randomWindows(windowCount);
  let [first, firstAt, last, lastAt] = [0, 0, 0, 0];
  const onProgress = (done: number) => {
    [last, lastAt] = [done, performance.now()];
    if (first === 0) [first, firstAt] = [last, lastAt];
  };
  const options: ScoreOptions = {
    device: name,
    onProgress,
    ...(values.baseline ? { baseline: model } : {}),
    ...(values['batch-tokens'] === undefined ? {} : { batchTokens: Number(values['batch-tokens']) }),
  };
  const started = performance.now();
  // All windows twice: with large batches there may be one only.
  const scores = await scoreWindows(model, [...windows, ...windows], options);
  const few = Math.min(Number(values['cpu-windows']), windowCount);
  if (last === first) throw new Error('One batch held all windows: score more of them, --windows.');
  return {
    name,
    rate: (1000 * (last - first)) / (lastAt - firstAt),
    batchTokens: first,
    firstMs: firstAt - started,
    perplexity: Math.exp(clusteredMean(scores.nll.slice(0, few), scores.tokenCounts.slice(0, few)).value),
    speed: await measureDevice(name),
  };
}

async function modelPath(given: string): Promise<string> {
  const shape = shapes[given];
  if (shape === undefined) return given;
  const folder = scratchFolder(given);
  if (!existsSync(join(folder, 'config.json'))) await writeSyntheticCheckpoint(folder, shape, demo);
  return folder;
}

function randomWindows(count: number) {
  let state = 1;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * vocabularySize);
  };
  return Array.from({ length: count }, () => ({
    ids: Int32Array.from({ length: windowLength }, next),
    firstScored: 1,
  }));
}
