import { addSum } from './addSum.ts';
import type { GraphWriter } from './createGraphWriter.ts';

/** A 2^-20 of the largest magnitude is where the limit is known to. */
const STEPS = 20;

const FLOAT = 1;

/** Scalars of a graph with thresholds; `beyond` is what takes the largest magnitude out of reach. */
export const THRESHOLD_CONSTANTS = { zero: 0, half: 0.5, beyond: 1.001 };

/** A matrix, and the name of what stays of it. */
export interface Thresholded {
  readonly matrix: string;
  readonly name: string;
}

/**
 * Matrices with 0 in place of all but their `count` largest magnitudes together, or a few less: a limit from halving, so that no more than
 * `count` reach it.
 *
 * What a device can do side by side, unlike a selection. Needs the constants above and `rowAxis`.
 * Cost: a comparison and a sum of the matrices a step.
 */
export function addThreshold(writer: GraphWriter, matrices: readonly Thresholded[], count: string): void {
  const { add } = writer;
  const sizes = matrices.map(({ matrix }) => add('Abs', [matrix]));
  const mostOf = (size: string): string =>
    add('ReduceMax', [add('ReduceMax', [size, 'rowAxis'], { keepdims: 0 })], { keepdims: 0 });
  const reaching = (size: string, limit: string): string =>
    addSum(writer, add('Cast', [add('GreaterOrEqual', [size, limit])], { to: FLOAT }));
  let low = 'zero';
  let high = add('Mul', [sizes.map(mostOf).reduce((most, own) => add('Max', [most, own])), 'beyond']);
  for (let step = 0; step < STEPS; step++) {
    const middle = add('Mul', [add('Add', [low, high]), 'half']);
    const counted = sizes.map(size => reaching(size, middle)).reduce((sum, own) => add('Add', [sum, own]));
    const isMore = add('Greater', [counted, count]);
    low = add('Where', [isMore, middle, low]);
    high = add('Where', [isMore, high, middle]);
  }
  for (const [index, { matrix, name }] of matrices.entries()) {
    add('Where', [add('GreaterOrEqual', [sizes[index]!, high]), matrix, 'zero'], {}, name);
  }
}
