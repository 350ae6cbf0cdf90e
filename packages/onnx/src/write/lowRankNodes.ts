import { CompressionError, type LowRankWeight } from '@quern/core';
import { factorName } from './factorName.ts';
import type { GraphPiece, KernelOptions, ProductPlace } from './graphPiece.ts';
import { shareFactor } from './shareFactor.ts';
import { shareProduct } from './shareProduct.ts';
import { storeFactor } from './storeFactor.ts';

/**
 * Stores the factors of a low-rank weight and gives the nodes of y = (x right^T) left^T: two products, each by MatMul or
 * MatMulNBits as its factor asks. A shared factor is stored by the first site that names it; sites that share the right one and read the
 * same input share the product with it too.
 *
 * @throws CompressionError INVALID_SHAPE when the factors do not multiply to the weight's shape; otherwise as
 *   `storeFactor` and `shareFactor`.
 */
export async function lowRankNodes(
  weight: LowRankWeight,
  options: KernelOptions,
  place: ProductPlace,
): Promise<GraphPiece> {
  checkFactors(weight, place.weightName);
  const { input, output, names } = place;
  const { activationType, accuracyLevel } = options;
  const target = (factor: 'left' | 'right') => ({ ...place, ...factorName(place, factor) });
  const left = weight.sharedLeft
    ? await shareFactor(weight.left, activationType, { ...place, weightName: weight.sharedLeft.name })
    : await storeFactor(weight.left, activationType, target('left'));
  const right = weight.sharedRight
    ? await shareFactor(weight.right, activationType, { ...place, weightName: weight.sharedRight.name })
    : await storeFactor(weight.right, activationType, target('right'));
  const { nodeName } = target('right');
  const common = { names, accuracyLevel };
  const first = right.product({ ...common, input, output: names.take(`${nodeName}_output`), nodeName });
  const known = weight.sharedRight ? shareProduct(first, place) : null;
  const inner = (known ?? first).output[0]!;
  const second = left.product({ ...common, input: inner, output, nodeName: target('left').nodeName });
  return {
    nodes: [...right.nodes, ...left.nodes, ...(known ? [] : [first]), second],
    initializers: [...right.initializers, ...left.initializers],
  };
}

function checkFactors(weight: LowRankWeight, weightName: string): void {
  const { left, right, outFeatures, inFeatures } = weight;
  const rank = right.outFeatures;
  if (left.outFeatures === outFeatures && left.inFeatures === rank && right.inFeatures === inFeatures && rank > 0)
    return;
  const actual = `[${left.outFeatures}, ${left.inFeatures}] and [${rank}, ${right.inFeatures}]`;
  const message = `The factors for "${weightName}" are ${actual}; they must multiply to [${outFeatures}, ${inFeatures}].`;
  throw new CompressionError('INVALID_SHAPE', message, { weight: weightName });
}
