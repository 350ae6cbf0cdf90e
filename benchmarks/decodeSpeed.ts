/**
 * How fast does a written 4-bit folder decode, against the float32 model it was made from?
 *
 * One token at a time with the KV cache, 2048-wide synthetic Llama, groups of 128. The two models take turns, so that a machine
 * whose speed drifts slows both. `node benchmarks/decodeSpeed.ts`; target: at least 3.5x.
 */
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { importCheckpoint } from '@quern/importer';
import { readOnnxModel } from '@quern/onnx';
import { compress, resolveRecipe } from '@quern/pipeline';
import { generateGreedy, openSession } from '@quern/runtime';
import { shapes } from '../tools/syntheticCheckpoint/shapes.ts';
import { writeSyntheticCheckpoint } from '../tools/syntheticCheckpoint/writeSyntheticCheckpoint.ts';
import { describeMachine, measureReadBandwidth, median, scratchFolder } from './machine.ts';

const ROUNDS = 7;
const TOKENS = 24;
const PROMPT = Int32Array.from({ length: 16 }, (_, index) => 100 + index);

const root = join(import.meta.dirname, '..');
const checkpoint = scratchFolder('wide2048');
const written = scratchFolder('wide2048-q4');
const shape = { ...shapes.wide2048!, blockCount: 2 };

if (!existsSync(join(checkpoint, 'config.json'))) {
  await writeSyntheticCheckpoint(checkpoint, shape, join(root, 'models', 'demo'));
}
const request = {
  model: checkpoint,
  out: written,
  recipe: resolveRecipe({ method: 'rtn', bits: 4, groupSize: 128 }),
  evaluate: null,
  perDocument: false,
  device: 'cpu',
  force: true,
  resume: false,
} as const;
await compress(request, () => undefined);

const float = await openSession((await importCheckpoint(checkpoint, { dtype: 'fp32' })).model, { device: 'cpu' });
const graph = join(written, 'onnx', 'model_q4.onnx');
const quantized = await openSession(await readOnnxModel(graph), { device: 'cpu' });

const tokensPerSecond = async (session: typeof float): Promise<number> => {
  let first = 0;
  const onToken = (): void => {
    if (first === 0) first = performance.now(); // the prompt is not counted
  };
  await generateGreedy(session, PROMPT, { maxNewTokens: TOKENS + 1, stopIds: [], onToken });
  return (1000 * TOKENS) / (performance.now() - first);
};
await tokensPerSecond(float);
await tokensPerSecond(quantized);
const rounds: { float: number; quantized: number }[] = [];
for (let round = 0; round < ROUNDS; round++) {
  rounds.push({ float: await tokensPerSecond(float), quantized: await tokensPerSecond(quantized) });
}

const bandwidth = measureReadBandwidth();
const floatBytes = 2 * (await parameterBytes());
const quantizedBytes = (await stat(`${graph}_data`)).size;
const speed = { float: median(rounds.map(r => r.float)), quantized: median(rounds.map(r => r.quantized)) };
console.log(describeMachine());
console.log(
  `one core copies ${(bandwidth / 1e9).toFixed(1)} GB/s; bytes a token: float32 ${mega(floatBytes)}, 4-bit ${mega(quantizedBytes)}`,
);
console.log(`float32      ${speed.float.toFixed(2)} tokens/s, ${gigas(floatBytes * speed.float)} GB/s of weights read`);
console.log(
  `4-bit g128   ${speed.quantized.toFixed(2)} tokens/s, ${gigas(quantizedBytes * speed.quantized)} GB/s of weights read`,
);
console.log(
  `ratio        ${median(rounds.map(r => r.quantized / r.float)).toFixed(2)}x (median of ${ROUNDS} pairs; target 3.5x)`,
);

async function parameterBytes(): Promise<number> {
  const files = Array.from({ length: shape.blockCount + 1 }, (_, index) =>
    join(checkpoint, `model-0000${index + 1}-of-0000${shape.blockCount + 1}.safetensors`),
  );
  return (await Promise.all(files.map(async file => (await stat(file)).size))).reduce((sum, size) => sum + size, 0);
}

function mega(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

function gigas(bytes: number): string {
  return (bytes / 1e9).toFixed(1);
}
