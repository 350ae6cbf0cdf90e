import { memberProbabilities, SCALE_COUNT, SHAPE_COUNT, scaleOfSquares } from './codeFamily.ts';
import { descend } from './descend.ts';

/** Least cost of a code that no table holds: position and value in the list of exceptions. */
const RAREST_BITS = 30;

/** A member of the family and what it takes to code a column with it. */
export interface CodeLength {
  /** Number of the member: shape * SCALE_COUNT + scale. */
  readonly family: number;
  /** Ideal length of the column's codes in bits, side information not counted. */
  readonly bits: number;
}

const cache = new Map<number, Float64Array>();

/**
 * The member of the family that codes a column in the fewest bits, and how many those are.
 *
 * Minimises -sum_k count_k log2 p_k over the members p; the scale is searched around the column's own standard deviation.
 * Needs no tables, so a quantiser can steer its rate by it. A stream comes out slightly longer (whole frequencies, shared
 * scales, side information) or slightly shorter (rows of differing scale).
 *
 * @param counts how often each code 0 .. 2^bits - 1 stands in the column; the length, a power of two, tells the width.
 * Cost: about 100 multiply-adds for each code that occurs.
 */
export function codeLength(counts: Uint32Array): CodeLength {
  return columnLengths(counts).reduce((best, length) => (length.bits < best.bits ? length : best));
}

/** The same for each shape alone: its best scale. */
export function columnLengths(counts: Uint32Array): CodeLength[] {
  const bits = Math.log2(counts.length);
  if (!Number.isInteger(bits) || bits < 1) throw new RangeError(`${counts.length} counts are not a power of two`);
  const present = Array.from(counts.keys()).filter(code => counts[code]! > 0);
  const middle = counts.length >> 1;
  const total = present.reduce((sum, code) => sum + counts[code]!, 0);
  const squares = present.reduce((sum, code) => sum + counts[code]! * (code - middle) ** 2, 0);
  const start = scaleOfSquares(squares, total);
  return Array.from({ length: SHAPE_COUNT }, (_, shape) => {
    const lengthAt = (scale: number): number => {
      const costs = memberCosts(shape, scale, bits);
      return present.reduce((sum, code) => sum + counts[code]! * costs[code]!, 0);
    };
    const { scale, cost } = descend(start, SCALE_COUNT - 1, lengthAt);
    return { family: shape * SCALE_COUNT + scale, bits: cost };
  });
}

/** -log2 of a member's probabilities, never above what an exception costs. Shared: do not write to it. */
export function memberCosts(shape: number, scale: number, bits: number): Float64Array {
  const key = (shape * SCALE_COUNT + scale) * 16 + bits;
  let costs = cache.get(key);
  if (costs === undefined) {
    costs = memberProbabilities(shape, scale, bits).map(p => Math.min(RAREST_BITS, -Math.log2(p)));
    cache.set(key, costs);
  }
  return costs;
}
