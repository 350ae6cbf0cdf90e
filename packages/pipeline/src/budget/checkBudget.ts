import { CompressionError } from '@quern/core';
import { isEntropyCoded } from '@quern/solvers';
import type { Recipe } from '../recipe.ts';
import { planSizes } from '../solve/planSizes.ts';
import { plansInTotals } from '../solve/selectSites.ts';
import { plannedStorageBits, type SitePlan, solverOf } from '../solve/sitePlan.ts';
import type { SiteCandidates } from './listCandidates.ts';
import type { Budget } from './readBudget.ts';

/** What the smallest and the largest choices of all sites take, in bits. */
export interface BudgetRange {
  /** Nothing takes less: known before anything is measured. */
  readonly leastBits: number;
  /** Nothing takes more. */
  readonly mostBits: number;
  /** Weights of the sites that count in bits per weight. */
  readonly elements: number;
  /** Bits of sites that do not count there: rules decide them. */
  readonly besideBits: number;
}

/** Entropy coding leaves at least this share of the codes' own width: no code takes less than a bit or so where two do. */
const LEAST_CODED = 0.25;

/**
 * The range of what can be chosen, before any work. Containers and bit planes are exact; of packed grids the least is a bound that holds
 * for any weight, and measuring tells the true one.
 */
export function budgetRange(candidates: readonly SiteCandidates[], recipe: Recipe): BudgetRange {
  const counted = new Set(plansInTotals(candidates.map(({ plans }) => plans[0]!)).map(({ site }) => site.name));
  let [leastBits, mostBits, elements, besideBits] = [0, 0, 0, 0];
  for (const { site, plans } of candidates) {
    const sizes = plans.map(plan => sizesOf(plan, recipe));
    if (!counted.has(site.name)) besideBits += sizes[0]!.most;
    else {
      elements += site.outFeatures * site.inFeatures;
      leastBits += Math.min(...sizes.map(({ least }) => least));
      mostBits += Math.max(...sizes.map(({ most }) => most));
    }
  }
  return { leastBits, mostBits, elements, besideBits };
}

function sizesOf(plan: SitePlan, recipe: Recipe): { least: number; most: number } {
  const most = planSizes([plan], recipe)[0]!.storageBits;
  const isOwn = recipe.storage !== 'packed' || isEntropyCoded(solverOf(plan));
  return { least: isOwn ? most : LEAST_CODED * plannedStorageBits(plan), most };
}

/**
 * Checks that a budget can be met, with what is known: bits of the smallest and the largest choice, and `restBytes` of all that is no site.
 *
 * Errors: INVALID_OPTION with the least, or the most, that can.
 */
export function checkBudget(
  budget: Budget,
  { leastBits, mostBits, elements, besideBits }: BudgetRange,
  restBytes: number | null,
): void {
  const rate = (bits: number): string => (bits / elements).toFixed(3);
  if (budget.kind === 'bits') {
    const { bitsPerWeight } = budget;
    const asked = bitsPerWeight * elements;
    if (asked < leastBits) {
      throw outOfReach(
        `bitsPerWeight (${bitsPerWeight}): out of reach: the least that these methods store is ${roundedUp(leastBits / elements)} bits a weight.`,
        budget,
      );
    }
    if (asked > mostBits + EXACT * elements) {
      throw outOfReach(
        `bitsPerWeight (${bitsPerWeight}): out of reach: the most that these methods store is ${rate(mostBits)} bits a weight.`,
        budget,
      );
    }
  }
  if (budget.kind === 'size' && restBytes !== null) {
    const least = Math.ceil(restBytes + (leastBits + besideBits) / 8);
    if (budget.bytes < least) {
      throw outOfReach(
        `targetSize (${budget.bytes} bytes): out of reach: ${Math.ceil(restBytes)} bytes are all that is no solved weight (embeddings, head, norms, graph), and ${elements} weights take at least ${roundedUp(leastBits / elements)} bits each. The least is ${least} bytes; fewer --head-bits make more room.`,
        budget,
      );
    }
  }
}

/** Bits per weight within which a rate counts as met. */
export const EXACT = 0.01;

/** A rate that can be asked for: not below the true one. */
function roundedUp(bits: number): string {
  return (Math.ceil(1000 * bits - 1e-6) / 1000).toFixed(3);
}

function outOfReach(message: string, budget: Budget): CompressionError {
  return new CompressionError('INVALID_OPTION', message, { ...budget });
}
