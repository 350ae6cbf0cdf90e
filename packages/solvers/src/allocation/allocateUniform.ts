import type { AllocationRequest } from './allocationRequest.ts';
import { meetTargets } from './meetTargets.ts';
import type { SiteChoice } from './siteSpectrum.ts';

/**
 * The same ratio for every site; what rounding ranks down leaves of the budget goes to the sites that lost most by it.
 *
 * Errors: INVALID_OPTION for a ratio that one component a site does not meet. Reads no singular values.
 */
export function allocateUniform({ sites, ratio, format }: AllocationRequest): Map<string, SiteChoice> {
  const targetBits = sites.map(({ outFeatures, inFeatures }) => (1 - ratio) * 16 * outFeatures * inFeatures);
  return meetTargets({ sites, targetBits, ratio, format });
}
