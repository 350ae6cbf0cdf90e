import { CompressionError, type LinearSite } from '@quern/core';
import type { OnnxModel } from '../onnxModel.ts';
import { type ScannedSite, scanSites } from './scanSites.ts';

/**
 * Finds a site's node and weight in the graph again.
 *
 * @throws CompressionError MISSING_TENSOR when the graph no longer holds the site, for one because it was replaced.
 */
export function locateSite(model: OnnxModel, site: LinearSite): ScannedSite {
  const found = scanSites(model).find(
    ({ key, weight, node, outFeatures, inFeatures }) =>
      key === site.nodeName &&
      weight.name === site.weightName &&
      node.input[0] === site.inputName &&
      outFeatures === site.outFeatures &&
      inFeatures === site.inFeatures,
  );
  if (found) return found;
  const message = `The graph holds no node "${site.nodeName}" with weight "${site.weightName}" (site ${site.name}). It was replaced, or the site is from another model.`;
  throw new CompressionError('MISSING_TENSOR', message, { site: site.name, weight: site.weightName });
}
