import { addSum } from './addSum.ts';
import type { GraphWriter } from './createGraphWriter.ts';

/** A 2^-20 of the largest magnitude is where the limit is known to. */
const STEPS = 20;

const FLOAT = 1;

/**
 * A matrix with 0 in place of all but its `count` largest magnitudes, or a few less: a limit from halving, so that no more than `count` reach it.
 *
 * What a device can do side by side, unlike a selection. Needs the constants `half`, `zero`, `beyond`, a little more than 1, and `rowAxis`.
 * Cost: a comparison and a sum of the whole matrix a step.
 */
export function addThreshold(writer: GraphWriter, matrix: string, count: string, name: string): string {
  const { add } = writer;
  const size = add('Abs', [matrix]);
  const rowMost = add('ReduceMax', [size, 'rowAxis'], { keepdims: 0 });
  let low = 'zero';
  let high = add('Mul', [add('ReduceMax', [rowMost], { keepdims: 0 }), 'beyond']);
  for (let step = 0; step < STEPS; step++) {
    const middle = add('Mul', [add('Add', [low, high]), 'half']);
    const reached = add('Cast', [add('GreaterOrEqual', [size, middle])], { to: FLOAT });
    const isMore = add('Greater', [addSum(writer, reached), count]);
    low = add('Where', [isMore, middle, low]);
    high = add('Where', [isMore, high, middle]);
  }
  return add('Where', [add('GreaterOrEqual', [size, high]), matrix, 'zero'], {}, name);
}
