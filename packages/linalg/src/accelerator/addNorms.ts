import type { GraphWriter } from './createGraphWriter.ts';

/** Of rows, `[rows, 1]`, not 0. Needs the constants `rowAxis` and `tiny`. */
export function addNorms({ add }: GraphWriter, matrix: string): string {
  const squares = add('ReduceSum', [add('Mul', [matrix, matrix]), 'rowAxis'], { keepdims: 1 });
  return add('Sqrt', [add('Max', [squares, 'tiny'])]);
}
