/**
 * A = U^T U in place for a small n x n matrix; reads and writes the upper triangle only.
 * Returns -1, or the first row whose pivot is not a positive finite number.
 */
export function choleskyUpper(a: usize, n: i32): i32 {
  const stride = (<usize>n) << 3;
  for (let row = 0; row < n; row++) {
    const rowAt = a + <usize>row * stride;
    for (let above = 0; above < row; above++) {
      const aboveAt = a + <usize>above * stride;
      const factor = load<f64>(aboveAt + ((<usize>row) << 3));
      for (let column = row; column < n; column++) {
        const at = (<usize>column) << 3;
        store<f64>(rowAt + at, load<f64>(rowAt + at) - factor * load<f64>(aboveAt + at));
      }
    }
    const pivot = load<f64>(rowAt + ((<usize>row) << 3));
    if (!(pivot > 0) || pivot === Infinity) return row;
    const diagonal = sqrt(pivot);
    store<f64>(rowAt + ((<usize>row) << 3), diagonal);
    for (let column = row + 1; column < n; column++) {
      const at = rowAt + ((<usize>column) << 3);
      store<f64>(at, load<f64>(at) / diagonal);
    }
  }
  return -1;
}
