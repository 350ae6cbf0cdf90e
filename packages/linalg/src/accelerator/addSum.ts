import type { GraphWriter } from './createGraphWriter.ts';

/** The sum of a matrix: of its rows first, which devices do side by side and which rounds less. Needs the constant `rowAxis`. */
export function addSum({ add }: GraphWriter, matrix: string): string {
  return add('ReduceSum', [add('ReduceSum', [matrix, 'rowAxis'], { keepdims: 0 })], { keepdims: 0 });
}
