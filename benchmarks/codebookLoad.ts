/**
 * What does it cost to open a codebook weight, put together once at load or anew on every run?
 *
 * `node benchmarks/codebookLoad.ts [size] [weights]`: so many square weights one after the other, random codes; each form in a process
 * of its own: time to open, peak memory above the process before, time of a run with one row. `folded` is a default session, `anew`
 * one that folds no constants, `dense` the same weights stored in float16.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { CompressedWeight } from '@quern/core';
import { codebookStorageBits } from '@quern/core';
import {
  createModel,
  createWeightStore,
  DataType,
  findLinearSites,
  floatInitializer,
  node,
  replaceSite,
  tensorInput,
  writeOnnxModel,
} from '@quern/onnx';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describeMachine, scratchFolder } from './machine.ts';

const FORMATS = [
  { groupSize: 8, codebookCount: 2, codebookBits: 8 },
  { groupSize: 4, codebookCount: 1, codebookBits: 8 },
  { groupSize: 6, codebookCount: 1, codebookBits: 12 },
] as const;

const [size = 2048, count = 4] = process.argv.slice(2, 4).map(Number);
let seed = 1;
const measured = process.argv[4];
if (measured) await measure(measured, process.argv[5]!);
else await compareAll();

async function compareAll(): Promise<void> {
  console.log(`${describeMachine()}; ${count} weights of ${size} x ${size}`);
  console.log('| form | stored bits | file | open | peak memory, bytes a weight | one row |');
  console.log('|---|---|---|---|---|---|');
  for (const format of FORMATS) {
    const shape = { outFeatures: size, inFeatures: size, ...format };
    const name = `${format.codebookCount}x${format.codebookBits} g${format.groupSize}`;
    const path = await write(name.replace(' ', '-'), () => ({
      kind: 'codebook',
      ...shape,
      codebooks: noise(format.codebookCount * 2 ** format.codebookBits * format.groupSize).map(Math.f16round),
      codes: Uint16Array.from(
        noise(size * Math.ceil(size / format.groupSize) * format.codebookCount),
        value => Math.min(0.999, (value + 1) / 2) * 2 ** format.codebookBits,
      ),
      scales: new Float32Array(size).fill(0.125),
    }));
    const bits = (codebookStorageBits(shape) / size ** 2).toFixed(3);
    for (const mode of ['folded', 'anew']) report(`${name}, ${mode}`, bits, path, mode);
  }
  const dense = await write('dense', () => ({
    kind: 'dense',
    outFeatures: size,
    inFeatures: size,
    data: noise(size * size).map(Math.f16round),
  }));
  report('dense', '16', dense, 'folded');
}

function report(name: string, bits: string, path: string, mode: string): void {
  const flags = [import.meta.filename, String(size), String(count), path, mode];
  const { bytes, openMs, peakBytes, runMs } = JSON.parse(execFileSync(process.execPath, flags, { encoding: 'utf8' }));
  const weights = count * size * size;
  console.log(
    `| ${name} | ${bits} | ${(bytes / 1e6).toFixed(2)} MB | ${openMs.toFixed(0)} ms | ${(peakBytes / weights).toFixed(1)} | ${runMs.toFixed(1)} ms |`,
  );
}

async function write(name: string, weightOf: () => CompressedWeight): Promise<string> {
  const folder = join(scratchFolder('codebook-load'), name);
  await mkdir(folder, { recursive: true });
  const zeros = floatInitializer('w', new Float32Array(size * size), [size, size]);
  const model = createModel({
    folder,
    inputs: [tensorInput('x0', DataType.FLOAT, ['rows', size])],
    outputs: [tensorInput(`x${count}`, DataType.FLOAT, ['rows', size])],
    initializers: [zeros],
    nodes: Array.from({ length: count }, (_, index) => node('MatMul', [`x${index}`, 'w'], [`x${index + 1}`])),
  });
  const store = createWeightStore({ folder, fileName: 'model.onnx_data' });
  const options = { accuracyLevel: 0, activationType: 'float32' } as const;
  for (const site of findLinearSites(model))
    await replaceSite(model, { ...options, site, compressed: weightOf() }, store);
  await store.close();
  const path = join(folder, 'model.onnx');
  await writeOnnxModel(model, path);
  return path;
}

async function measure(path: string, mode: string): Promise<void> {
  const before = peak();
  const started = performance.now();
  const session = await InferenceSession.create(path, {
    graphOptimizationLevel: mode === 'anew' ? 'disabled' : 'all',
    intraOpNumThreads: 1,
  });
  const openMs = performance.now() - started;
  const feeds = { x0: new Tensor('float32', noise(size), [1, size]) };
  let runMs = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round++) {
    const start = performance.now();
    await session.run(feeds);
    runMs = Math.min(runMs, performance.now() - start);
  }
  const bytes = readFileSync(`${path}_data`).length;
  console.log(JSON.stringify({ bytes, openMs, peakBytes: peak() - before, runMs }));
}

function peak(): number {
  return 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0);
}

/** Uniform in [-1, 1). */
function noise(length: number): Float32Array<ArrayBuffer> {
  let state = (seed++ * 747796405 + 2891336453) >>> 0;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}
