import { CompressionError } from '@quern/core';
import { findEmbeddings, findLinearSites, readEmbedding, readWeight } from '@quern/onnx';
import type { OpenedModel } from '../open/openModel.ts';

/**
 * The error of the first weight that is not finite, null when all are: why activations were not. `opened` is a model as it
 * was read, with nothing replaced. Cost: reads every weight once.
 */
export async function findBadWeight({ model }: OpenedModel): Promise<CompressionError | null> {
  try {
    for (const embedding of findEmbeddings(model)) await readEmbedding(model, embedding);
    for (const site of findLinearSites(model)) await readWeight(model, site);
    return null;
  } catch (error) {
    if (error instanceof CompressionError && error.code === 'NON_FINITE_WEIGHT') return error;
    throw error;
  }
}
