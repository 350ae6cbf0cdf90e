import type { RatePoint } from '../entropyCoded/rateCurve.ts';
import { lossAt } from './lossAt.ts';

/** A site that takes part in a budget of bits. */
export interface RatedSite {
  /** Weights of the site. */
  readonly elements: number;
  /** Rise of the model's loss for one unit of the site's relative squared output error. */
  readonly sensitivity: number;
  /** What the site loses at which rate, by rising bits; at a last point without loss it is as it was. */
  readonly curve: readonly RatePoint[];
  /** Bits that its format can take, where that is less than what all may have: it takes no more, or stays as it was. */
  readonly formatBits?: number;
}

/** Steps in which a site's bits are chosen. */
const RESOLUTION = 1 / 64;
/** Bits of grids. */
const GRID_BITS = { least: 0.3, most: 8 };

/**
 * Bits per weight for every site that together take `bits` per weight and lose least: equal slopes.
 *
 * Objective: min sum_i sensitivity_i loss_i(b_i) subject to sum_i elements_i b_i = bits sum_i elements_i, by bisection on the
 * price of a bit; between the points of a curve the logarithm of the loss is linear. No site gets fewer bits than `least` or more than `most`. What
 * is left over, since sites jump, goes to those that may have more, all alike. Cost: 64 passes over 64 (most - least) rates a site.
 */
export function allocateBits(sites: readonly RatedSite[], bits: number, { least, most } = GRID_BITS): number[] {
  const total = sites.reduce((sum, site) => sum + site.elements, 0);
  const count = Math.ceil((most - least) / RESOLUTION) + 1;
  const rateAt = (index: number): number => (index === count - 1 ? most : least + index * RESOLUTION);
  const tables = sites.map(({ sensitivity, curve, formatBits = most }) =>
    Float64Array.from({ length: count }, (_, index) => {
      // What the format does not take gains nothing, but for the last rate.
      const rate = index === count - 1 ? most : Math.min(rateAt(index), formatBits);
      return sensitivity * lossAt(curve, rate);
    }),
  );
  const choose = (price: number): number[] =>
    sites.map(({ elements }, index) => rateAt(cheapest(tables[index]!, price * elements)));
  const meanOf = (chosen: readonly number[]): number =>
    chosen.reduce((sum, own, index) => sum + own * sites[index]!.elements, 0) / total;
  let low = -120;
  let high = 120;
  for (let pass = 0; pass < 64; pass++) {
    const middle = (low + high) / 2;
    if (meanOf(choose(2 ** middle)) > bits) low = middle;
    else high = middle;
  }
  return spreadRest(sites, choose(2 ** high), bits * total, most);
}

/** All alike, as often as some reach the most. */
function spreadRest(sites: readonly RatedSite[], chosen: readonly number[], budget: number, most: number): number[] {
  let bits = [...chosen];
  for (let round = 0; round < sites.length; round++) {
    const rest = budget - bits.reduce((sum, own, index) => sum + own * sites[index]!.elements, 0);
    const limitOf = ({ formatBits = most }: RatedSite): number => Math.min(formatBits, most);
    const open = sites.reduce((sum, site, index) => (bits[index]! < limitOf(site) ? sum + site.elements : sum), 0);
    if (open === 0 || Math.abs(rest) < 1e-9 * budget) break;
    bits = bits.map((own, index) => {
      const limit = limitOf(sites[index]!);
      return own < limit ? Math.min(limit, own + rest / open) : own;
    });
  }
  return bits;
}

function cheapest(losses: Float64Array, price: number): number {
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let index = 0; index < losses.length; index++) {
    const cost = losses[index]! + price * index * RESOLUTION;
    if (cost < least) {
      least = cost;
      best = index;
    }
  }
  return best;
}
