import type { FactorFormat } from '../lowRank/factorStorageBits.ts';
import { ratioTooHigh } from './ratioTooHigh.ts';
import { type SiteSizes, siteSizes } from './siteSizes.ts';
import type { SiteChoice, SiteSpectrum } from './siteSpectrum.ts';

/** Sites with the bits that each should take, and what all may take together: (1 - ratio) of their 16-bit weights. */
export interface Targets {
  readonly sites: readonly SiteSpectrum[];
  /** One number a site, in the same order. */
  readonly targetBits: readonly number[];
  readonly ratio: number;
  readonly format: FactorFormat;
}

/**
 * Ranks that come as close to each site's target as whole numbers can, without passing the budget of all: first the largest
 * choices below the targets, then one component more where most is missing, as long as anything fits.
 *
 * Errors: INVALID_OPTION for a ratio that one component a site does not meet.
 */
export function meetTargets({ sites, targetBits, ratio, format }: Targets): Map<string, SiteChoice> {
  const parts = sites.map((site, index) => startBelow(siteSizes(site, format), targetBits[index]!));
  const denseBits = parts.reduce((sum, { sizes }) => sum + sizes.denseBits, 0);
  let left = (1 - ratio) * denseBits - parts.reduce((sum, { sizes, choice }) => sum + sizes.bitsOf(choice), 0);
  // Sites whose target is below one component: the others make up for them.
  while (left < 0) {
    const shrinkable = parts.filter(({ choice }) => choice === 'dense' || choice.rank > 1);
    if (shrinkable.length === 0) throw ratioTooHigh(ratio, (1 - ratio) * denseBits - left, denseBits);
    const part = shrinkable.reduce((worst, each) => (missing(each) < missing(worst) ? each : worst));
    const before = part.sizes.bitsOf(part.choice);
    part.choice = part.choice === 'dense' ? { rank: part.sizes.highestRank } : { rank: part.choice.rank - 1 };
    left += before - part.sizes.bitsOf(part.choice);
  }
  for (;;) {
    const growing = parts.filter(part => stepBits(part) <= left);
    if (growing.length === 0) break;
    const part = growing.reduce((best, each) => (missing(each) > missing(best) ? each : best));
    left -= stepBits(part);
    part.choice = part.sizes.next(part.choice)!;
  }
  return new Map(sites.map((site, index) => [site.name, parts[index]!.choice]));
}

interface Part {
  readonly sizes: SiteSizes;
  readonly targetBits: number;
  choice: SiteChoice;
}

function startBelow(sizes: SiteSizes, targetBits: number): Part {
  let choice: SiteChoice = { rank: 1 };
  for (let next = sizes.next(choice); next !== null && sizes.bitsOf(next) <= targetBits; next = sizes.next(next)) {
    choice = next;
  }
  return { sizes, targetBits, choice };
}

/** Relative to the site's size, so that small sites count like large ones. */
function missing({ sizes, targetBits, choice }: Part): number {
  return (targetBits - sizes.bitsOf(choice)) / sizes.denseBits;
}

function stepBits({ sizes, choice }: Part): number {
  const next = sizes.next(choice);
  return next === null ? Number.POSITIVE_INFINITY : sizes.bitsOf(next) - sizes.bitsOf(choice);
}
