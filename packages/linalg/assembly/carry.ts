/**
 * w -= sum of `terms` products error_k U_k for one strip of eight float64: error_k are `stride` bytes apart, U_k are `factorStride`
 * bytes apart.
 */
export function carry(
  column: usize,
  error: usize,
  stride: usize,
  factor: usize,
  factorStride: usize,
  terms: i32,
): void {
  let sum0 = v128.load(column);
  let sum1 = v128.load(column, 16);
  let sum2 = v128.load(column, 32);
  let sum3 = v128.load(column, 48);
  for (; terms > 0; terms--) {
    const weight = v128.load64_splat(factor);
    sum0 = f64x2.sub(sum0, f64x2.mul(weight, v128.load(error)));
    sum1 = f64x2.sub(sum1, f64x2.mul(weight, v128.load(error, 16)));
    sum2 = f64x2.sub(sum2, f64x2.mul(weight, v128.load(error, 32)));
    sum3 = f64x2.sub(sum3, f64x2.mul(weight, v128.load(error, 48)));
    factor += factorStride;
    error += stride;
  }
  v128.store(column, sum0);
  v128.store(column, sum1, 16);
  v128.store(column, sum2, 32);
  v128.store(column, sum3, 48);
}
