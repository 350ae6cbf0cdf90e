import type { Matrix } from '@quern/linalg';

/** sqrt of the mean square of a matrix's elements. */
export function rootMeanSquare({ data }: Matrix): number {
  let sum = 0;
  for (let at = 0; at < data.length; at++) sum += data[at]! ** 2;
  return Math.sqrt(sum / data.length);
}
