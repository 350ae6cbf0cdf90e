import type { LinearSite } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import type { TensorProto } from '../generated/onnx_pb.js';
import type { OnnxModel } from '../onnxModel.ts';
import { sliceRows } from '../read/sliceRows.ts';
import { isExternal } from '../read/tensorSize.ts';
import { type EmbeddingSite, locateEmbedding } from './findEmbeddings.ts';
import { locateSite } from './locateSite.ts';
import { readFiniteFloats, readWeight } from './readWeight.ts';

/** A stored matrix that is read in parts. */
export interface StoredRows {
  readonly rows: number;
  readonly columns: number;
  /** Rows `[start, end)` in float32. @throws CompressionError as `readWeight`. */
  read(start: number, end: number): Promise<Matrix<Float32Array>>;
}

/** A site's weight as `readWeight` gives it, in parts: of one that is stored row by row in a file only those are read. */
export function openWeight(model: OnnxModel, site: LinearSite): StoredRows {
  const { weight, storedByOutput, outFeatures: rows, inFeatures: columns, alpha } = locateSite(model, site);
  const tensor = storedByOutput && alpha === 1 ? weight.tensor : null;
  return { rows, columns, read: partReader(model, tensor, columns, () => readWeight(model, site)) };
}

/** An embedding's table `[vocabularySize, hiddenSize]`. @throws CompressionError MISSING_TENSOR as `locateEmbedding`. */
export function openEmbedding(model: OnnxModel, { gatherNode }: EmbeddingSite): StoredRows {
  const { tensor } = locateEmbedding(model, gatherNode).weight;
  const [rows, columns] = tensor.dims.map(Number) as [number, number];
  const whole = async () => ({ rows, columns, data: await readFiniteFloats(model, tensor) });
  return { rows, columns, read: partReader(model, tensor, columns, whole) };
}

/** Reads rows of a tensor in a file; of any other matrix the whole, once. */
function partReader(
  model: OnnxModel,
  tensor: TensorProto | null,
  columns: number,
  readWhole: () => Promise<Matrix<Float32Array>>,
): StoredRows['read'] {
  let whole: Promise<Matrix<Float32Array>> | null = null;
  return async (start, end) => {
    const part = { rows: end - start, columns };
    if (tensor && isExternal(tensor)) {
      return { ...part, data: await readFiniteFloats(model, sliceRows(tensor, start, end), start * columns) };
    }
    whole ??= readWhole();
    return { ...part, data: (await whole).data.subarray(start * columns, end * columns) };
  };
}
