/** Right-hand sides solved together: four SIMD registers, one cache line. */
const STRIP: usize = 64;

/** B := U^-1 B for an upper n x n factor and B of n rows of `stride` bytes; stride is a multiple of 64. */
export function solveUpper(u: usize, n: i32, b: usize, stride: usize): void {
  for (let strip: usize = 0; strip < stride; strip += STRIP) {
    for (let row = n - 1; row >= 0; row--) {
      const factors = u + ((<usize>row * <usize>n) << 3);
      solveStrip(b + strip, row, row + 1, n, stride, factors, 8);
    }
  }
}

/** B := U^-T B, the same with the transposed factor. */
export function solveUpperTransposed(u: usize, n: i32, b: usize, stride: usize): void {
  for (let strip: usize = 0; strip < stride; strip += STRIP) {
    for (let row = 0; row < n; row++) {
      const factors = u + ((<usize>row) << 3);
      solveStrip(b + strip, row, 0, row, stride, factors, (<usize>n) << 3);
    }
  }
}

/** One row of one strip: b_row = (b_row - sum of factor_k b_k, k in [from, to)) / factor_row. */
function solveStrip(b: usize, row: i32, from: i32, to: i32, stride: usize, factors: usize, factorStride: usize): void {
  const at = b + <usize>row * stride;
  let sum0 = v128.load(at);
  let sum1 = v128.load(at, 16);
  let sum2 = v128.load(at, 32);
  let sum3 = v128.load(at, 48);
  for (let k = from; k < to; k++) {
    const factor = v128.load64_splat(factors + <usize>k * factorStride);
    const known = b + <usize>k * stride;
    sum0 = f64x2.sub(sum0, f64x2.mul(factor, v128.load(known)));
    sum1 = f64x2.sub(sum1, f64x2.mul(factor, v128.load(known, 16)));
    sum2 = f64x2.sub(sum2, f64x2.mul(factor, v128.load(known, 32)));
    sum3 = f64x2.sub(sum3, f64x2.mul(factor, v128.load(known, 48)));
  }
  const diagonal = v128.load64_splat(factors + <usize>row * factorStride);
  v128.store(at, f64x2.div(sum0, diagonal));
  v128.store(at, f64x2.div(sum1, diagonal), 16);
  v128.store(at, f64x2.div(sum2, diagonal), 32);
  v128.store(at, f64x2.div(sum3, diagonal), 48);
}
