import { CompressionError } from '@quern/core';
import { DataType, findStoredCodes, modelTensors, type OnnxModel, type TensorProto } from '@quern/onnx';
import type { TensorNature } from './packTensor.ts';

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
  const layouts = new Map(findStoredCodes(model).map(({ tensor, layout }) => [tensor, layout]));
  const tensors = modelTensors(model.proto).flatMap(tensor => {
    const entries = new Map(tensor.externalData.map(({ key, value }) => [key, value]));
    const location = entries.get('location');
    if (location === undefined) return [];
    const layout = layouts.get(tensor);
    const nature: TensorNature = layout ? { kind: 'codes', layout } : natureOf(tensor);
    const [offset, length] = [Number(entries.get('offset')), Number(entries.get('length'))];
    return [{ name: tensor.name, location, offset, length, nature }];
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

/** Floats in which a row and a column each have a common size; a single row or column is cut into lines of 16. */
function natureOf({ dataType, dims }: TensorProto): TensorNature {
  if (dataType !== DataType.FLOAT16 && dataType !== DataType.BFLOAT16) return { kind: 'other' };
  const count = dims.reduce((product, size) => product * Number(size), 1);
  if (count === 0) return { kind: 'other' };
  const last = Number(dims.at(-1) ?? 1);
  const columns = last > 1 && last < count ? last : count % 16 === 0 ? 16 : 1;
  return { kind: 'halves', rows: count / columns, columns };
}
