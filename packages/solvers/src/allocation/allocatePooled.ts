import type { AllocationRequest } from './allocationRequest.ts';
import { ratioTooHigh } from './ratioTooHigh.ts';
import { type SiteSizes, siteSizes } from './siteSizes.ts';
import type { SiteChoice, SiteSpectrum } from './siteSpectrum.ts';

/**
 * One pool of components for all sites: as long as the budget lasts, the one that removes most relative output error per stored
 * bit.
 *
 * Objective: the least sum over sites of (dropped singular values squared) / energy within (1 - ratio) of the 16-bit weights.
 * Greedy over the lower convex hull of each site's points (bits, error), which is optimal but for the steps that no longer fit. A
 * site may step from its hull to dense, error 0, at once: ranks just below break-even are seldom worth it.
 * Source: the pooled spectrum of COMPOT, arXiv:2602.15200. Differs from it: it pools the singular values of Frobenius-normalised
 * weights by value, whatever a component costs, and clips the rate of each layer to a range; here gain is counted per bit, and
 * nothing is clipped but to one component at least.
 * Errors: INVALID_OPTION for a ratio that one component a site does not meet.
 * Cost: one look at every site for each component kept.
 */
export function allocatePooled({ sites, ratio, format }: AllocationRequest): Map<string, SiteChoice> {
  const parts = sites.map(site => createPart(site, siteSizes(site, format)));
  const denseBits = parts.reduce((sum, { sizes }) => sum + sizes.denseBits, 0);
  let left = parts.reduce((bits, { sizes, choice }) => bits - sizes.bitsOf(choice), (1 - ratio) * denseBits);
  if (left < 0) throw ratioTooHigh(ratio, (1 - ratio) * denseBits - left, denseBits);
  for (let part = steepest(parts); part; part = steepest(parts)) {
    const { to, bits } = part.steps[0]!;
    if (bits <= left) {
      part.choice = to;
      part.steps.shift();
      left -= bits;
    } else {
      tryShorterSteps(part);
    }
  }
  return new Map(parts.map(({ name, choice }) => [name, choice]));
}

interface Part {
  readonly name: string;
  readonly sizes: SiteSizes;
  /** Relative squared error that rank r leaves, r from 0. */
  readonly errors: Float64Array;
  choice: SiteChoice;
  /** What may come next, in order. */
  steps: Step[];
  /** Where the steps lead: along the hull with the dense weight, along that of the factors alone, one component at a time. */
  reach: 'dense' | 'factors' | 'single';
}

interface Step {
  readonly to: SiteChoice;
  readonly bits: number;
  /** Relative squared error removed per bit. */
  readonly slope: number;
}

function createPart({ name, singularValues, energy }: SiteSpectrum, sizes: SiteSizes): Part {
  const errors = new Float64Array(singularValues.length + 1);
  for (let rank = singularValues.length - 1; energy > 0 && rank >= 0; rank--) {
    errors[rank] = errors[rank + 1]! + singularValues[rank]! ** 2 / energy;
  }
  const part: Part = { name, sizes, errors, choice: { rank: 1 }, steps: [], reach: 'dense' };
  part.steps = hullSteps(part);
  return part;
}

/** The site whose next step gains most; null when no step is left. */
function steepest(parts: readonly Part[]): Part | null {
  let best: Part | null = null;
  for (const part of parts) {
    if (part.steps.length > 0 && (!best || part.steps[0]!.slope > best.steps[0]!.slope)) best = part;
  }
  return best;
}

/** What is left to a site whose next step does not fit. */
function tryShorterSteps(part: Part): void {
  if (part.reach === 'single') {
    part.steps = [];
  } else {
    part.reach = part.reach === 'dense' ? 'factors' : 'single';
    part.steps = part.reach === 'factors' ? hullSteps(part) : singleSteps(part);
  }
}

/** The choices after the present one, in order of size. */
function* laterChoices({ sizes, choice, reach }: Part): Generator<SiteChoice> {
  for (let next = sizes.next(choice); next !== null; next = sizes.next(next)) {
    if (next !== 'dense' || reach === 'dense') yield next;
  }
}

/** Along the lower convex hull: slopes fall. */
function hullSteps(part: Part): Step[] {
  const steps: Step[] = [];
  for (const to of laterChoices(part)) {
    let step = stepBetween(part, steps.at(-1)?.to ?? part.choice, to);
    // A steeper step makes the ones before it part of itself.
    for (let last = steps.at(-1); last && last.slope <= step.slope; last = steps.at(-1)) {
      steps.pop();
      step = stepBetween(part, steps.at(-1)?.to ?? part.choice, to);
    }
    steps.push(step);
  }
  return steps.filter(({ slope }) => slope > 0);
}

function singleSteps(part: Part): Step[] {
  let from = part.choice;
  const steps: Step[] = [];
  for (const to of laterChoices(part)) {
    steps.push(stepBetween(part, from, to));
    from = to;
  }
  return steps;
}

function stepBetween({ sizes, errors }: Part, from: SiteChoice, to: SiteChoice): Step {
  const bits = sizes.bitsOf(to) - sizes.bitsOf(from);
  const errorOf = (choice: SiteChoice) => (choice === 'dense' ? 0 : errors[choice.rank]!);
  const gain = errorOf(from) - errorOf(to);
  return { to, bits, slope: bits > 0 ? gain / bits : gain > 0 ? Number.POSITIVE_INFINITY : 0 };
}
