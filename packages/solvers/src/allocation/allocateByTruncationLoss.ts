import type { AllocationRequest } from './allocationRequest.ts';
import { meetTargets } from './meetTargets.ts';
import { siteSizes } from './siteSizes.ts';
import type { SiteChoice, SiteSpectrum } from './siteSpectrum.ts';

/** Losses below this share of the type's largest count as that share: a site that loses nothing has no logarithm. */
const SMALLEST_LOSS = 1e-6;

/**
 * Within a type of sites, removes the more the less it costs: site ratios proportional to 1 / log(loss), where the loss of a site is
 * the Frobenius norm of what the uniform ratio truncates of its whitened weight. Each type keeps its own budget.
 *
 * Source: SVD-LLM V2, arXiv:2503.12340, "heterogeneous compression ratio allocation". Differs from it: its logarithm is that of the raw loss, undefined at 1 and
 * dependent on the number of tokens; here losses are scaled so that the smallest of a type is e. A ratio that would pass the
 * site's size ends there, and what that leaves is made up for by the sites farthest from their targets.
 * Errors: INVALID_OPTION for a ratio that one component a site does not meet.
 */
export function allocateByTruncationLoss({ sites, ratio, format }: AllocationRequest): Map<string, SiteChoice> {
  const targetBits = new Map<string, number>();
  for (const members of Map.groupBy(sites, site => site.type).values()) {
    const losses = members.map(site => uniformLoss(site, ratio, format));
    const largest = losses.reduce((maximum, loss) => Math.max(maximum, loss), 0);
    const floored = losses.map(loss => Math.max(loss, SMALLEST_LOSS * largest));
    const smallest = floored.reduce((minimum, loss) => Math.min(minimum, loss), Number.POSITIVE_INFINITY);
    const shares = floored.map(loss => (smallest > 0 ? 1 / (1 + Math.log(loss / smallest)) : 1));
    const elements = members.map(({ outFeatures, inFeatures }) => outFeatures * inFeatures);
    const total = elements.reduce((sum, count) => sum + count, 0);
    const mean = elements.reduce((sum, count, index) => sum + count * shares[index]!, 0) / total;
    for (const [index, site] of members.entries()) {
      const own = Math.min(1, (ratio * shares[index]!) / mean);
      targetBits.set(site.name, (1 - own) * 16 * elements[index]!);
    }
  }
  return meetTargets({ sites, targetBits: sites.map(site => targetBits.get(site.name)!), ratio, format });
}

/** Norm of the singular values that the uniform ratio drops. */
function uniformLoss(site: SiteSpectrum, ratio: number, format: AllocationRequest['format']): number {
  const { bitsOf, highestRank, denseBits } = siteSizes(site, format);
  let rank = 1;
  while (rank < highestRank && bitsOf({ rank: rank + 1 }) <= (1 - ratio) * denseBits) rank++;
  let energy = 0;
  for (let index = rank; index < site.singularValues.length; index++) energy += site.singularValues[index]! ** 2;
  return Math.sqrt(energy);
}
