import { largestMagnitude } from './largestMagnitude.ts';

/** Sets all but the `count` largest magnitudes to 0, in place; of equal ones the first stay. Cost: that of largestMagnitude and a pass. */
export function keepLargest(values: Float32Array | Float64Array, count: number): void {
  if (count >= values.length) return;
  if (count === 0) {
    values.fill(0);
    return;
  }
  const { limit, surplus } = largestMagnitude(values, count);
  if (values instanceof Float32Array) clearBelow(values, limit);
  else for (let index = 0; index < values.length; index++) if (Math.abs(values[index]!) < limit) values[index] = 0;
  for (let index = values.length - 1, left = surplus; left > 0; index--) {
    if (Math.abs(values[index]!) !== limit) continue;
    values[index] = 0;
    left--;
  }
}

/** Without a branch a value: which ones stay is as good as random. */
function clearBelow(values: Float32Array, limit: number): void {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  const below = new Int32Array(Float32Array.of(limit).buffer)[0]! - 1;
  for (let index = 0; index < bits.length; index++) {
    const own = bits[index]!;
    bits[index] = own & ((below - (own & 0x7fffffff)) >> 31);
  }
}
