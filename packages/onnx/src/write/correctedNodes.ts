import { CompressionError, type CorrectedWeight } from '@quern/core';
import { node } from '../build/node.ts';
import type { GraphPiece, KernelOptions, ProductPlace } from './graphPiece.ts';
import { lowRankNodes } from './lowRankNodes.ts';
import { storeFactor } from './storeFactor.ts';

/**
 * Stores a corrected weight and gives the nodes of y = x base^T + (x right^T) left^T.
 *
 * @throws CompressionError INVALID_SHAPE when base and correction differ in shape; otherwise as `storeFactor` and
 *   `lowRankNodes`.
 */
export async function correctedNodes(
  weight: CorrectedWeight,
  options: KernelOptions,
  place: ProductPlace,
): Promise<GraphPiece> {
  const { base, correction } = weight;
  checkShapes(weight, place.weightName);
  const { names, output } = place;
  const baseOutput = names.take(`${output}_base`);
  const correctionOutput = names.take(`${output}_correction`);
  const stored = await storeFactor(base, options.activationType, place);
  const factors = await lowRankNodes(correction, options, { ...place, output: correctionOutput });
  const product = stored.product({ ...place, ...options, output: baseOutput });
  const sum = node('Add', [baseOutput, correctionOutput], [output], { name: names.take(`${correctionOutput}/Add`) });
  return {
    nodes: [...stored.nodes, product, ...factors.nodes, sum],
    initializers: [...stored.initializers, ...factors.initializers],
  };
}

function checkShapes(weight: CorrectedWeight, weightName: string): void {
  for (const part of [weight.base, weight.correction]) {
    if (part.outFeatures === weight.outFeatures && part.inFeatures === weight.inFeatures) continue;
    const message = `A part of the corrected weight for "${weightName}" is [${part.outFeatures}, ${part.inFeatures}]; the weight is [${weight.outFeatures}, ${weight.inFeatures}].`;
    throw new CompressionError('INVALID_SHAPE', message, { weight: weightName, kind: part.kind });
  }
}
