import { CompressionError } from '@quern/core';
import type { OpenedModel } from '../open/openModel.ts';
import type { Recipe } from '../recipe.ts';
import { readSize } from '../solve/readSize.ts';
import { plannedStorageBits, type SitePlan, solverOf } from '../solve/sitePlan.ts';
import { measureRest } from './packed/measureRest.ts';

/** Bits that entropy-coded methods may be asked for. */
const [LEAST_BITS, MOST_BITS] = [1, 8];
/** Share of the size that is left for what rates miss. */
const RESERVE = 0.005;

/**
 * Plans whose entropy-coded sites get the bits at which graph and data together take `recipe.targetSize`; the plans given where the recipe
 * names no size. All else, at its own width, is measured first.
 *
 * Errors: INVALID_OPTION where nothing is entropy-coded, where the files are not packed, or where the size cannot be reached.
 * Cost: that of `measureRest`.
 */
export async function bitsForSize(
  opened: OpenedModel,
  plans: readonly SitePlan[],
  recipe: Recipe,
): Promise<readonly SitePlan[]> {
  if (recipe.targetSize === undefined) return plans;
  const target = readSize(recipe.targetSize);
  const isCoded = (plan: SitePlan): boolean => solverOf(plan).needs === 'sharedInput';
  const coded = plans.filter(isCoded);
  const refuse = (message: string): CompressionError =>
    new CompressionError('INVALID_OPTION', `targetSize (${recipe.targetSize}): ${message}`, { target });
  if (coded.length === 0) throw refuse('only entropy-coded methods reach any size: use --method watersic.');
  if (recipe.storage !== 'packed') throw refuse('counts packed files: use --storage packed.');
  const others = plans.filter(plan => !isCoded(plan));
  const rest = await measureRest(opened, plans, recipe);
  const fixed = rest + others.reduce((sum, plan) => sum + plannedStorageBits(plan, 1) / 8, 0);
  const elements = coded.reduce((sum, { site }) => sum + site.outFeatures * site.inFeatures, 0);
  const bits = (8 * (target * (1 - RESERVE) - fixed)) / elements;
  if (bits < LEAST_BITS) {
    const least = Math.ceil((fixed + (elements * LEAST_BITS) / 8) / (1 - RESERVE));
    throw refuse(
      `out of reach: ${Math.ceil(fixed)} bytes are embeddings, head, norms and names, and ${elements} weights take at least 1 bit each. The least is ${least} bytes; --head-bits makes more room.`,
    );
  }
  const own = Math.min(MOST_BITS, bits);
  return plans.map(plan => (isCoded(plan) ? { ...plan, options: { ...plan.options, bits: own } } : plan));
}
