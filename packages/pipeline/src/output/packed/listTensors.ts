import { CompressionError } from '@quern/core';
import { modelTensors, type OnnxModel } from '@quern/onnx';
import type { TensorNature } from './packTensor.ts';
import { tensorNatures } from './tensorNatures.ts';

/** A tensor of external data. */
export interface StoredTensor {
  readonly name: string;
  /** Data file, beside the graph. */
  readonly location: string;
  readonly offset: number;
  readonly length: number;
  readonly nature: TensorNature;
}

/**
 * The tensors of a written model that lie in data files, in the order in which they lie there.
 *
 * Errors: INTERNAL for a graph whose tensors overlap; Quern writes none.
 */
export function listTensors(model: OnnxModel): StoredTensor[] {
  const natureOf = tensorNatures(model);
  const tensors = modelTensors(model.proto).flatMap(tensor => {
    const entries = new Map(tensor.externalData.map(({ key, value }) => [key, value]));
    const location = entries.get('location');
    if (location === undefined) return [];
    const [offset, length] = [Number(entries.get('offset')), Number(entries.get('length'))];
    return [{ name: tensor.name, location, offset, length, nature: natureOf(tensor) }];
  });
  const order = (left: StoredTensor, right: StoredTensor): number =>
    left.location === right.location ? left.offset - right.offset : left.location < right.location ? -1 : 1;
  const sorted = tensors.toSorted(order);
  sorted.forEach((tensor, index) => {
    const before = sorted[index - 1];
    if (before?.location !== tensor.location || before.offset + before.length <= tensor.offset) return;
    throw new CompressionError(
      'INTERNAL',
      `The tensors ${before.name} and ${tensor.name} overlap in ${tensor.location}.`,
    );
  });
  return sorted;
}
