/** The smallest of the values that stay, and how many as large as it there are too many. */
export interface MagnitudeLimit {
  readonly limit: number;
  readonly surplus: number;
}

/**
 * The `count`-th largest absolute value, count in 1..values.length: that many values and `surplus` more are at least as large.
 *
 * Float32: by counting, since the bits of magnitudes are in their order; three passes. Float64: Hoare's selection with the median of
 * three, on a copy, 8 bytes a value, about three passes. Deterministic.
 */
export function largestMagnitude(values: Float32Array | Float64Array, count: number): MagnitudeLimit {
  if (values instanceof Float32Array) return byCounting(values, count);
  const limit = bySelection(values, count);
  let surplus = -count;
  for (let index = 0; index < values.length; index++) if (Math.abs(values[index]!) >= limit) surplus++;
  return { limit, surplus };
}

/** Of the 31 bits of a magnitude, from the top: 11, then 10 among those that share them, then the last 10. */
function byCounting(values: Float32Array, count: number): MagnitudeLimit {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const counts = new Uint32Array(2048);
  for (let index = 0; index < bits.length; index++) counts[(bits[index]! & 0x7fffffff) >>> 20]!++;
  let [limit, surplus] = descend(counts, count);
  for (const shift of [10, 0]) {
    const above = limit;
    counts.fill(0);
    for (let index = 0; index < bits.length; index++) {
      const own = (bits[index]! & 0x7fffffff) >>> shift;
      if (own >>> 10 === above) counts[own & 1023]!++;
    }
    const [digit, left] = descend(counts, counts.reduce((sum, each) => sum + each, 0) - surplus);
    limit = 1024 * above + digit;
    surplus = left;
  }
  return { limit: new Float32Array(Uint32Array.of(limit).buffer)[0]!, surplus };
}

/** The largest digit which so many values reach, and how many too many reach it. */
function descend(counts: Uint32Array, wanted: number): [digit: number, surplus: number] {
  let left = wanted;
  let digit = counts.length - 1;
  while (counts[digit]! < left) left -= counts[digit--]!;
  return [digit, counts[digit]! - left];
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
