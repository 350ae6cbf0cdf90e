import { CompressionError } from '@quern/core';
import { findEmbeddings, findLinearSites, openEmbedding, openWeight, type StoredRows } from '@quern/onnx';
import { rowsPerSlice } from '../forward/rowsPerSlice.ts';
import type { OpenedModel } from '../open/openModel.ts';

/**
 * The error of the first weight that is not finite, null when all are: why activations were not. `opened` is a model as it
 * was read, with nothing replaced. Cost: reads every weight once, 32 MB at a time.
 */
export async function findBadWeight({ model }: OpenedModel): Promise<CompressionError | null> {
  try {
    for (const embedding of findEmbeddings(model)) await readAll(openEmbedding(model, embedding));
    for (const site of findLinearSites(model)) await readAll(openWeight(model, site));
    return null;
  } catch (error) {
    if (error instanceof CompressionError && error.code === 'NON_FINITE_WEIGHT') return error;
    throw error;
  }
}

async function readAll(weight: StoredRows): Promise<void> {
  const step = rowsPerSlice(weight.columns);
  for (let start = 0; start < weight.rows; start += step) {
    await weight.read(start, Math.min(start + step, weight.rows));
  }
}
