import type { LinearSite } from '@quern/core';
import type { OnnxModel } from '../onnxModel.ts';
import { locateSite } from './locateSite.ts';

/**
 * The element type, a `DataType`, in which a site computes: that of its weight as it arrives at the node, after casts.
 *
 * @throws CompressionError MISSING_TENSOR when the graph does not hold the site.
 */
export function siteDataType(model: OnnxModel, site: LinearSite): number {
  return locateSite(model, site).weight.dataType;
}
