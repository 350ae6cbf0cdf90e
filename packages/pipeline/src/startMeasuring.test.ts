import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  createModel,
  createWeightStore,
  DataType,
  findLinearSites,
  inlineInitializer,
  node,
  readOnnxModel,
  readWeight,
  replaceSite,
  tensorInput,
  writeOnnxModel,
} from '@quern/onnx';
import { roundToNearest } from '@quern/solvers';
import { expect, it } from 'vitest';
import type { RunnableMaterial } from './open/material.ts';
import { resolveRecipe } from './recipe.ts';
import type { CompressRun } from './run.ts';
import { startMeasuring } from './startMeasuring.ts';
import { temporaryFolder } from './testSupport/temporaryFolder.ts';

const folder = temporaryFolder();
const [INPUTS, OUTPUTS] = [64, 32];

const wave = (length: number, step: number) => Float32Array.from({ length }, (_, i) => Math.sin(1 + step * i));

it('compares with exact arithmetic whatever has n-bit kernels, solved by a plan or not', async () => {
  const weight = new Uint8Array(wave(INPUTS * OUTPUTS, 0.7).buffer);
  const source = join(folder.path, 'source.onnx');
  const model = createModel({
    folder: folder.path,
    inputs: [tensorInput('x', DataType.FLOAT, ['n', INPUTS])],
    outputs: [tensorInput('y', DataType.FLOAT, ['n', OUTPUTS])],
    initializers: [inlineInitializer('w', DataType.FLOAT, [INPUTS, OUTPUTS], weight)],
    nodes: [node('MatMul', ['x', 'w'], ['y'])],
  });
  await writeOnnxModel(model, source);

  const written = await readOnnxModel(source);
  const target = join(folder.path, 'written');
  await mkdir(target);
  const site = findLinearSites(written)[0]!;
  const options = { bits: 8, groupSize: 32, symmetric: true, shrinkSearch: false };
  const compressed = roundToNearest(await readWeight(written, site), options);
  const store = createWeightStore({ folder: target, fileName: 'data' });
  await replaceSite(written, { site, compressed, accuracyLevel: 4, activationType: 'float32' }, store);
  await store.close();
  await writeOnnxModel({ proto: written.proto, folder: target }, join(target, 'model.onnx'));

  const x = { type: 'float32' as const, dims: [2, INPUTS], data: wave(2 * INPUTS, 0.3) };
  const feeds = { id: 'waves', sha256: '', count: 1, read: async () => ({ x }) };
  const run = {
    request: { model: source, recipe: resolveRecipe({}) },
    device: 'cpu',
    plans: [],
    emit: () => undefined,
  };
  const measure = await startMeasuring(
    run as unknown as CompressRun,
    { kind: 'feeds', feeds } as unknown as RunnableMaterial,
  );
  const { outputs } = await measure(join(target, 'model.onnx'));
  expect(outputs).toHaveLength(1);
  // Rounding activations to 8 bits adds to the distance.
  expect(outputs![0]!.exact).toBeGreaterThan(0);
  expect(outputs![0]!.relativeDifference).toBeGreaterThan(outputs![0]!.exact!);
});
