/**
 * The `count`-th largest absolute value, count in 1..values.length: that many values are at least as large.
 *
 * Float32: by counting, since the bits of magnitudes are in their order; two passes, 512 KB. Float64: Hoare's selection with the median of
 * three, on a copy, 8 bytes a value, about three passes. Deterministic.
 */
export function largestMagnitude(values: Float32Array | Float64Array, count: number): number {
  return values instanceof Float32Array ? byCounting(values, count) : bySelection(values, count);
}

/** Upper half of the bits first, then the lower one among those that share it. */
function byCounting(values: Float32Array, count: number): number {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const counts = new Uint32Array(65536);
  for (let index = 0; index < bits.length; index++) counts[(bits[index]! & 0x7fffffff) >>> 16]!++;
  let left = count;
  let upper = 65535;
  while (counts[upper]! < left) left -= counts[upper--]!;
  counts.fill(0);
  for (let index = 0; index < bits.length; index++) {
    const own = bits[index]! & 0x7fffffff;
    if (own >>> 16 === upper) counts[own & 0xffff]!++;
  }
  let lower = 65535;
  while (counts[lower]! < left) left -= counts[lower--]!;
  return new Float32Array(Uint32Array.of(upper * 65536 + lower).buffer)[0]!;
}

function bySelection(values: Float64Array, count: number): number {
  const sizes = values.map(Math.abs);
  const target = count - 1;
  let low = 0;
  let high = sizes.length - 1;
  while (low < high) {
    const pivot = medianOfThree(sizes[low]!, sizes[(low + high) >> 1]!, sizes[high]!);
    let left = low;
    let right = high;
    while (left <= right) {
      while (sizes[left]! > pivot) left++;
      while (sizes[right]! < pivot) right--;
      if (left > right) break;
      const value = sizes[left]!;
      sizes[left++] = sizes[right]!;
      sizes[right--] = value;
    }
    if (target <= right) high = right;
    else if (target >= left) low = left;
    else break;
  }
  return sizes[target]!;
}

function medianOfThree(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}
