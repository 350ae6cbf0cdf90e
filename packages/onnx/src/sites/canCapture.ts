import type { LinearSite } from '@quern/core';
import type { OnnxModel } from '../onnxModel.ts';
import { locateSite } from './locateSite.ts';

/**
 * Whether a session can return this site's activations as rows of tokens: not for a site inside a sub-graph, whose
 * values cannot leave it, and not for a Gemm that reads its activation transposed.
 *
 * @throws CompressionError MISSING_TENSOR when the graph does not hold the site.
 */
export function canCapture(model: OnnxModel, site: LinearSite): boolean {
  const { scope, inputTransposed } = locateSite(model, site);
  return scope.parent === null && !inputTransposed;
}
