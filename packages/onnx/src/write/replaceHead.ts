import type { LinearSite, SlicedQuantized } from '@quern/core';
import type { OnnxModel } from '../onnxModel.ts';
import { locateSite } from '../sites/locateSite.ts';
import { admitContribNodes, freshNames } from './graphEdit.ts';
import type { KernelOptions } from './graphPiece.ts';
import { checkShape, rewire } from './replaceSite.ts';
import { storeGrid } from './storeFactor.ts';
import type { WeightStore } from './weightStore.ts';

/** A site and the slices that take the place of its weight. */
export interface HeadReplacement extends KernelOptions {
  readonly site: LinearSite;
  readonly compressed: SlicedQuantized;
}

/**
 * `replaceSite` for a weight that is computed slice by slice while it is stored: the same bytes and nodes.
 *
 * @throws CompressionError MISSING_TENSOR, INVALID_SHAPE as there; otherwise as `storeQuantized` and the slices.
 */
export async function replaceHead(model: OnnxModel, replacement: HeadReplacement, store: WeightStore): Promise<void> {
  const { site, compressed, activationType } = replacement;
  const scanned = locateSite(model, site);
  checkShape(compressed, site);
  admitContribNodes(model.proto);
  const names = freshNames(model);
  const weightName = scanned.weight.name;
  await rewire(scanned, names, replacement, async place => {
    const own = { ...place, weightName, names, store };
    const { nodes, initializers, product } = await storeGrid(compressed, activationType, own);
    return { nodes: [...nodes, product({ ...own, ...replacement })], initializers };
  });
}
