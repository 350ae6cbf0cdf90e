import { CompressionError } from '@quern/core';
import { isEntropyCoded } from '@quern/solvers';
import picomatch from 'picomatch';
import type { Emit } from '../events.ts';
import type { OpenedModel } from '../open/openModel.ts';
import type { Recipe } from '../recipe.ts';
import { planSizes } from '../solve/planSizes.ts';
import { readSize } from '../solve/readSize.ts';
import { type SitePlan, solverOf } from '../solve/sitePlan.ts';
import { measureRest } from './packed/measureRest.ts';

/** Bits that entropy-coded methods may be asked for. */
const [LEAST_BITS, MOST_BITS] = [1, 8];
/** Bits per weight by which a method may miss what it is asked for. */
const RATE_MISS = 0.01;
/** Share of all else by which its measure may be off: code tables fit differently beside other codes. */
const REST_MISS = 0.0005;

/**
 * Plans whose entropy-coded sites get the bits at which graph and data together take `recipe.targetSize`; the plans given where the recipe
 * names no size. All else, at its own width, is measured first. A size with room for more than the most bits gives those, with a warning.
 *
 * Errors: INVALID_OPTION where nothing is entropy-coded, where its bits are given as well, where the files are not packed, or where
 * the size cannot be reached.
 * Cost: that of `measureRest`.
 */
export async function bitsForSize(
  opened: OpenedModel,
  plans: readonly SitePlan[],
  recipe: Recipe,
  emit: Emit,
): Promise<readonly SitePlan[]> {
  if (recipe.targetSize === undefined) return plans;
  const target = readSize(recipe.targetSize);
  const coded = plans.filter(isCoded);
  const refuse = (message: string): CompressionError =>
    new CompressionError('INVALID_OPTION', `targetSize (${recipe.targetSize}): ${message}`, { target });
  if (coded.length === 0) throw refuse('only entropy-coded methods reach any size: use --method watersic.');
  if (recipe.storage !== 'packed') {
    throw refuse(`counts packed files, not ${recipe.storage}: use --storage packed, with --layout transformersjs.`);
  }
  const given = keyOfBits(recipe, coded);
  if (given !== null) throw refuse(`chooses the bits that ${given} gives: leave one of them out.`);
  const rest = await measureRest(opened, plans, recipe);
  const others = planSizes(
    plans.filter(plan => !isCoded(plan)),
    recipe,
  );
  const fixed = rest + others.reduce((sum, site) => sum + site.storageBits / 8, 0);
  const elements = coded.reduce((sum, { site }) => sum + site.outFeatures * site.inFeatures, 0);
  const reserved = fixed + REST_MISS * rest + (elements * RATE_MISS) / 8;
  const sizeAt = (bits: number): number => Math.ceil(reserved + (elements * bits) / 8);
  const bits = (8 * (target - reserved)) / elements;
  if (bits < LEAST_BITS) {
    throw refuse(
      `out of reach: ${Math.ceil(fixed)} bytes are all that is not entropy-coded (embeddings, head, norms, names), and ${elements} weights take at least ${LEAST_BITS} bit each. The least is ${sizeAt(LEAST_BITS)} bytes; fewer --head-bits make more room.`,
    );
  }
  if (bits > MOST_BITS) {
    const message = `targetSize (${recipe.targetSize}): has room for more than ${MOST_BITS} bits a weight, the most there are: the result will take about ${sizeAt(MOST_BITS)} bytes.`;
    emit({ kind: 'warning', message });
  }
  const own = Math.min(MOST_BITS, bits);
  return plans.map(plan => (isCoded(plan) ? { ...plan, options: { ...plan.options, bits: own } } : plan));
}

function isCoded(plan: Pick<SitePlan, 'solver'>): boolean {
  return isEntropyCoded(solverOf(plan));
}

/** The first key of a recipe that gives these sites bits of their own, null without one. */
function keyOfBits({ method, bits, options, rules }: Recipe, coded: readonly SitePlan[]): string | null {
  if (coded.some(plan => plan.solver === method)) {
    if (bits !== undefined) return 'bits';
    if (options.bits !== undefined) return 'options.bits';
  }
  for (const [index, rule] of rules.entries()) {
    const matches = picomatch(rule.sites);
    const isMeant = ({ site, solver }: SitePlan): boolean =>
      matches(site.name) && (rule.method === undefined || rule.method === solver);
    if (!coded.some(isMeant)) continue;
    if (rule.bits !== undefined) return `rules[${index}].bits`;
    if (rule.options?.bits !== undefined) return `rules[${index}].options.bits`;
  }
  return null;
}
