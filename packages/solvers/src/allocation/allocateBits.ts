import type { RatePoint } from '../entropyCoded/rateCurve.ts';

/** A site that takes part in a budget of bits. */
export interface RatedSite {
  /** Weights of the site. */
  readonly elements: number;
  /** Rise of the model's loss for one unit of the site's relative squared output error. */
  readonly sensitivity: number;
  /** What the site loses at which rate, by rising bits. */
  readonly curve: readonly RatePoint[];
}

/** Steps in which a site's bits are chosen. */
const RESOLUTION = 1 / 64;
/** No site gets less, or more, stored bits per weight. */
const LEAST_BITS = 0.3;
const MOST_BITS = 8;

/**
 * Bits per weight for every site that together take `bits` per weight and lose least: equal slopes.
 *
 * Objective: min sum_i sensitivity_i loss_i(b_i) subject to sum_i elements_i b_i = bits sum_i elements_i, by bisection on the
 * price of a bit; between the points of a curve the logarithm of the loss is linear. What the resolution leaves over goes to all
 * sites alike. Cost: 64 passes over 500 rates a site.
 */
export function allocateBits(sites: readonly RatedSite[], bits: number): number[] {
  const total = sites.reduce((sum, site) => sum + site.elements, 0);
  const tables = sites.map(({ sensitivity, curve }) => lossTable(curve).map(loss => sensitivity * loss));
  const choose = (price: number): number[] =>
    sites.map(({ elements }, index) => cheapest(tables[index]!, price * elements));
  const meanOf = (chosen: readonly number[]): number =>
    chosen.reduce((sum, own, index) => sum + own * sites[index]!.elements, 0) / total;
  let low = -120;
  let high = 120;
  for (let pass = 0; pass < 64; pass++) {
    const middle = (low + high) / 2;
    if (meanOf(choose(2 ** middle)) > bits) low = middle;
    else high = middle;
  }
  const chosen = choose(2 ** high);
  const rest = bits - meanOf(chosen);
  return chosen.map(own => Math.min(MOST_BITS, own + rest));
}

/** The loss at LEAST_BITS, LEAST_BITS + RESOLUTION, ... MOST_BITS. */
function lossTable(curve: readonly RatePoint[]): Float64Array {
  const count = Math.round((MOST_BITS - LEAST_BITS) / RESOLUTION) + 1;
  return Float64Array.from({ length: count }, (_, index) => lossAt(curve, LEAST_BITS + index * RESOLUTION));
}

function lossAt(curve: readonly RatePoint[], bits: number): number {
  if (curve.length < 2) return curve[0]?.loss ?? 0;
  let right = curve.findIndex(point => point.bits >= bits);
  if (right === -1) right = curve.length - 1;
  right = Math.max(1, right);
  const [from, to] = [curve[right - 1]!, curve[right]!];
  const share = (bits - from.bits) / (to.bits - from.bits);
  return 2 ** (Math.log2(from.loss) + share * (Math.log2(to.loss) - Math.log2(from.loss)));
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
  return LEAST_BITS + best * RESOLUTION;
}
