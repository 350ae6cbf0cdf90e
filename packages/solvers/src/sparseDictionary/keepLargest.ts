import { largestMagnitude } from './largestMagnitude.ts';

/** Sets all but the `count` largest magnitudes to 0, in place; of equal ones the first stay. Cost: that of largestMagnitude. */
export function keepLargest(values: Float32Array | Float64Array, count: number): void {
  if (count >= values.length) return;
  if (count === 0) {
    values.fill(0);
    return;
  }
  const limit = largestMagnitude(values, count);
  let ties = count;
  for (let index = 0; index < values.length; index++) if (Math.abs(values[index]!) > limit) ties--;
  for (let index = 0; index < values.length; index++) {
    const size = Math.abs(values[index]!);
    if (size > limit || (size === limit && ties-- > 0)) continue;
    values[index] = 0;
  }
}
