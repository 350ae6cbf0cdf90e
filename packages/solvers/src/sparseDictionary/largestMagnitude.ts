/**
 * The `count`-th largest absolute value, count in 1..values.length: that many values are at least as large.
 *
 * Hoare's selection with the median of three, on a copy: deterministic, 8 bytes a value, about three passes.
 */
export function largestMagnitude(values: Float64Array, count: number): number {
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
