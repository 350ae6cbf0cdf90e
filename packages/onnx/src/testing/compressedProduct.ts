import { type CompressedWeight, reconstruct } from '@quern/core';
import { createModel } from '../build/createModel.ts';
import { float16Initializer, floatInitializer } from '../build/inlineInitializer.ts';
import { node } from '../build/node.ts';
import { tensorInput } from '../build/tensorInput.ts';
import { DataType } from '../dataType.ts';
import type { OnnxModel } from '../onnxModel.ts';
import { findLinearSites } from '../sites/findLinearSites.ts';
import type { KernelOptions } from '../write/graphPiece.ts';
import { replaceSite } from '../write/replaceSite.ts';
import { createWeightStore } from '../write/weightStore.ts';
import { runModel } from './runModel.ts';
import { denseProduct, randomFloats, relativeDistance, seededRandom } from './sampleWeights.ts';
import { floatTensor, halfTensor, valuesOf } from './tensors.ts';

export const EXACT: KernelOptions = { accuracyLevel: 0, activationType: 'float32' };
export const HALF: KernelOptions = { accuracyLevel: 0, activationType: 'float16' };
export const TOKENS = 3;

let fileCount = 0;

/** x [tokens, in] -> MatMul -> y with the compressed weight in place of the stored one; its data lies in `folder`. */
export async function compressedModel(
  folder: string,
  compressed: CompressedWeight,
  options: KernelOptions,
): Promise<OnnxModel> {
  const { outFeatures, inFeatures } = compressed;
  const halves = options.activationType === 'float16';
  const dataType = halves ? DataType.FLOAT16 : DataType.FLOAT;
  const zeros = new Float32Array(inFeatures * outFeatures);
  const initializer = halves ? float16Initializer : floatInitializer;
  const model = createModel({
    folder,
    inputs: [tensorInput('x', dataType, ['tokens', inFeatures])],
    outputs: [tensorInput('y', dataType, ['tokens', outFeatures])],
    initializers: [initializer('proj.MatMul.weight', zeros, [inFeatures, outFeatures])],
    nodes: [node('MatMul', ['x', 'proj.MatMul.weight'], ['y'], { name: '/proj/MatMul' })],
  });
  const store = createWeightStore({ folder, fileName: `nodes_${fileCount++}` });
  await replaceSite(model, { ...options, site: findLinearSites(model)[0]!, compressed }, store);
  await store.close();
  return model;
}

/** Runs the nodes on random activations and gives the distance to the product by the reconstruction. */
export async function distance(model: OnnxModel, compressed: CompressedWeight, halves = false): Promise<number> {
  const activations = randomFloats(TOKENS * compressed.inFeatures, seededRandom(77)).map(Math.f16round);
  const tensor = halves ? halfTensor : floatTensor;
  const { y } = await runModel(model, { x: tensor(activations, [TOKENS, compressed.inFeatures]) });
  return relativeDistance(valuesOf(y), denseProduct(activations, await reconstruct(compressed)));
}
