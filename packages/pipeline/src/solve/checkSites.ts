import { CompressionError } from '@quern/core';
import { canCapture, type OnnxModel } from '@quern/onnx';
import type { SitePlan } from './sitePlan.ts';
import { readsActivations } from './sitePlan.ts';

/**
 * Checks that every planned solver can have what it reads.
 *
 * Errors: INVALID_OPTION for a site whose activations cannot be captured.
 */
export function checkSites(model: OnnxModel, plans: readonly SitePlan[]): void {
  for (const plan of plans) {
    if (!readsActivations(plan) || canCapture(model, plan.site)) continue;
    const { name } = plan.site;
    throw new CompressionError(
      'INVALID_OPTION',
      `The input of ${name} cannot be captured, since it stands inside a sub-graph or is read transposed, and ${plan.solver} needs it: use --method rtn, give the site rtn in a recipe, or --exclude '${name}'.`,
      { site: name, solver: plan.solver },
    );
  }
}
