import { CompressionError, type LinearSite } from '@quern/core';
import { type Matrix, transpose } from '@quern/linalg';
import type { TensorProto } from '../generated/onnx_pb.js';
import type { OnnxModel } from '../onnxModel.ts';
import { readFloats } from '../read/readFloats.ts';
import { locateSite } from './locateSite.ts';

/**
 * Reads a site's weight as W `[outFeatures, inFeatures]` in float32, whatever the graph stores. Gemm's alpha is part
 * of it; casts on the way are taken as exact.
 *
 * @throws CompressionError NON_FINITE_WEIGHT when a value is NaN or infinite, MISSING_TENSOR when the graph does not
 *   hold the site; otherwise as `readTensor`.
 * Cost: the weight once in float32, twice while it is transposed.
 */
export async function readWeight(model: OnnxModel, site: LinearSite): Promise<Matrix<Float32Array>> {
  const { weight, storedByOutput, outFeatures, inFeatures, alpha } = locateSite(model, site);
  const stored = await readFiniteFloats(model, weight.tensor);
  const data = storedByOutput ? stored : transpose({ rows: inFeatures, columns: outFeatures, data: stored }).data;
  if (alpha !== 1) for (let index = 0; index < data.length; index++) data[index]! *= alpha;
  return { rows: outFeatures, columns: inFeatures, data };
}

/**
 * Reads a float tensor, perhaps a part that begins at `firstIndex` of another, and refuses NaN and infinity.
 *
 * @throws CompressionError NON_FINITE_WEIGHT naming the tensor, how many values are not finite, and the first.
 */
export async function readFiniteFloats(
  model: OnnxModel,
  tensor: TensorProto,
  firstIndex = 0,
): Promise<Float32Array<ArrayBuffer>> {
  const values = await readFloats(model, tensor);
  let sum = 0;
  // x - x is 0 for a finite x and NaN otherwise: one sum tests all values without a branch.
  for (let index = 0; index < values.length; index++) sum += values[index]! - values[index]!;
  if (sum === 0) return values;
  let count = 0;
  for (const value of values) if (!Number.isFinite(value)) count++;
  const place = values.findIndex(value => !Number.isFinite(value));
  const first = firstIndex + place;
  const message = `Tensor "${tensor.name}" holds ${count} values that are NaN or infinite, the first (${values[place]}) at index ${first}. The model is damaged or overflowed float16: export it again.`;
  throw new CompressionError('NON_FINITE_WEIGHT', message, { tensor: tensor.name, count, firstIndex: first });
}
