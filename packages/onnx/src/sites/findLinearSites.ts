import type { LinearSite } from '@quern/core';
import type { OnnxModel } from '../onnxModel.ts';
import { blockIndexes } from './blockIndexes.ts';
import { scanSites } from './scanSites.ts';
import { siteNames } from './siteNames.ts';

/**
 * Finds every MatMul and Gemm whose second factor is a stored float matrix, directly or through Cast, Transpose,
 * Identity and Constant nodes, in the main graph and in sub-graphs. Convolutions are left alone.
 *
 * The block index comes from names such as `layers.3`, else from the graph's structure; null outside the blocks.
 * `nodeName` of a site in a sub-graph carries the path of that graph (see `canCapture`).
 *
 * Cost: a few passes over the nodes; no weight is read.
 */
export function findLinearSites(model: OnnxModel): LinearSite[] {
  const sites = scanSites(model);
  const names = siteNames(sites);
  const blocks = blockIndexes(model, sites);
  return sites.map((site, position) => ({
    name: names[position]!,
    block: blocks[position]!,
    outFeatures: site.outFeatures,
    inFeatures: site.inFeatures,
    nodeName: site.key,
    weightName: site.weight.name,
    inputName: site.node.input[0]!,
    sharedInputGroup: site.inputTransposed ? `${site.inputKey}^T` : site.inputKey,
  }));
}
