/** One of the ways to treat a site. */
export interface Choice {
  /** What it stores. */
  readonly bits: number;
  /** What it costs the model; at least 0, and it adds up over the sites. */
  readonly loss: number;
}

/** One choice a site, with what all of them take and cost together. */
export interface Selection {
  /** The index of each site's choice. */
  readonly chosen: readonly number[];
  readonly bits: number;
  readonly loss: number;
}

/** The best selections at every number of bits. */
export interface ChoiceTable {
  /** Of every site's smallest choice. */
  readonly leastBits: number;
  /** Above this many bits nothing is gained. */
  readonly mostBits: number;
  /** The selection of least loss with at most so many bits; null below `leastBits`. */
  readonly within: (bits: number) => Selection | null;
  /** The selection of fewest bits whose loss is at most this; null where none is. */
  readonly under: (loss: number) => Selection | null;
}

/** Steps in which bits are counted where the sizes have no larger common measure: a table holds a number for each, and each site. */
const MOST_CELLS = 2 ** 15;

/**
 * The multiple-choice knapsack: min sum_i loss_i(c_i) subject to sum_i bits_i(c_i) <= B, for every B at once, by dynamic programming
 * over bits (Dudzinski and Walukiewicz, 1987). Choices that another one beats in both are left out first.
 *
 * Exact where the differences of the sizes are whole multiples of 1 / 32768 of their range; otherwise sizes are rounded up to that,
 * no selection passes its limit, and what the rounding leaves over goes to the exchange that gains most for it, as long as one fits.
 * Cost: 32768 x all choices additions at most; 2 bytes for 32768 x sites.
 */
export function tabulateChoices(sites: readonly (readonly Choice[])[]): ChoiceTable {
  const fronts = sites.map(paretoFront);
  const least = fronts.map(front => front[0]!.bits);
  const leastBits = sum(least);
  const mostBits = sum(fronts.map(front => front.at(-1)!.bits));
  const extras = fronts.map((front, site) => front.map(({ bits }) => bits - least[site]!));
  const cell = cellBits(extras.flat(), mostBits - leastBits);
  const cells = extras.map(own => own.map(extra => Math.ceil(extra / cell)));
  const capacity = sum(cells.map(own => own.at(-1)!));
  let losses = new Float64Array(capacity + 1);
  const picks = fronts.map((front, site) => {
    const picked = new Uint16Array(capacity + 1);
    const next = new Float64Array(capacity + 1).fill(Number.POSITIVE_INFINITY);
    for (const [index, { loss }] of front.entries()) {
      const own = cells[site]![index]!;
      for (let at = own; at <= capacity; at++) {
        const total = losses[at - own]! + loss;
        if (total < next[at]!) {
          next[at] = total;
          picked[at] = index;
        }
      }
    }
    losses = next;
    return picked;
  });

  const trace = (at: number): number[] => {
    const places = new Array<number>(fronts.length);
    let left = at;
    for (let site = fronts.length - 1; site >= 0; site--) {
      places[site] = picks[site]![left]!;
      left -= cells[site]![places[site]!]!;
    }
    return places;
  };
  const select = (places: readonly number[]): Selection => ({
    chosen: places.map((place, site) => fronts[site]![place]!.index),
    bits: sum(places.map((place, site) => fronts[site]![place]!.bits)),
    loss: sum(places.map((place, site) => fronts[site]![place]!.loss)),
  });
  return {
    leastBits,
    mostBits,
    within(bits) {
      if (bits < leastBits) return null;
      const at = Math.min(capacity, Math.floor((bits - leastBits) / cell));
      return select(fillUp(fronts, trace(at), bits));
    },
    under(loss) {
      // Losses never rise with the bits.
      const at = losses.findIndex(total => total <= loss);
      return at === -1 ? null : select(trace(at));
    },
  };
}

type Placed = Choice & { readonly index: number };

/** The choices that no other one beats, by rising bits and falling loss. */
function paretoFront(choices: readonly Choice[]): Placed[] {
  const ordered = choices
    .map((choice, index) => ({ bits: choice.bits, loss: choice.loss, index }))
    .sort((left, right) => left.bits - right.bits || left.loss - right.loss || left.index - right.index);
  const front: Placed[] = [];
  for (const choice of ordered) if (front.length === 0 || choice.loss < front.at(-1)!.loss) front.push(choice);
  return front;
}

/** The largest common measure of the sizes, or the range in as many steps as a table may have. */
function cellBits(extras: readonly number[], range: number): number {
  if (range === 0) return 1;
  const common = extras.every(Number.isSafeInteger) ? extras.reduce(greatestDivisor, 0) : 0;
  return Math.max(common, range / MOST_CELLS);
}

function greatestDivisor(left: number, right: number): number {
  return right === 0 ? left : greatestDivisor(right, left % right);
}

/** Exchanges single choices for larger ones, the one that gains most for its bits first, as long as one fits. */
function fillUp(fronts: readonly (readonly Placed[])[], places: readonly number[], bits: number): number[] {
  const filled = [...places];
  let left = bits - sum(filled.map((place, site) => fronts[site]![place]!.bits));
  for (;;) {
    let best: { site: number; place: number; gain: number } | null = null;
    for (const [site, front] of fronts.entries()) {
      const now = front[filled[site]!]!;
      for (let place = filled[site]! + 1; place < front.length; place++) {
        const next = front[place]!;
        if (next.bits - now.bits > left) break;
        const gain = (now.loss - next.loss) / (next.bits - now.bits);
        if (best === null || gain > best.gain) best = { site, place, gain };
      }
    }
    if (best === null) return filled;
    left -= fronts[best.site]![best.place]!.bits - fronts[best.site]![filled[best.site]!]!.bits;
    filled[best.site] = best.place;
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
