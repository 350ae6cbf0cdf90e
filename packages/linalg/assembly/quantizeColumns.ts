/** Outputs treated together: four SIMD registers, one cache line of float64. */
const STRIP: usize = 64;

/**
 * Quantises the columns [from, to) of a block one after the other and carries each error into the block's later columns.
 *
 * `columns`, `errors`, `scales` and `zeroPoints` are rows of `stride` bytes, one row per column of the block, one float64 per
 * output; `codes` has one byte where they have eight. `factor` is the block's square of U, `count` x `count`.
 * For column i: code = clamp(floor(w / scale + zeroPoint + 1/2)), error_i = (w - scale (code - zeroPoint)) / U_ii,
 * and w_j -= error_i U_ij for j > i.
 */
export function quantizeColumns(
  columns: usize,
  errors: usize,
  codes: usize,
  scales: usize,
  zeroPoints: usize,
  stride: usize,
  factor: usize,
  count: i32,
  from: i32,
  to: i32,
  highestCode: f64,
): void {
  for (let strip: usize = 0; strip < stride; strip += STRIP) {
    for (let column = from; column < to; column++) {
      carry(columns + strip, errors + strip, stride, factor, count, from, column, column);
      const at = strip + <usize>column * stride;
      const diagonal = load<f64>(factor + ((<usize>column * <usize>count + <usize>column) << 3));
      for (let pair: usize = 0; pair < STRIP; pair += 16) {
        quantizePair(
          columns + at + pair,
          errors + at + pair,
          codes + ((at + pair) >> 3),
          scales + at + pair,
          zeroPoints + at + pair,
          diagonal,
          highestCode,
        );
      }
    }
    for (let column = to; column < count; column++) {
      carry(columns + strip, errors + strip, stride, factor, count, from, to, column);
    }
  }
}

/** w_column -= sum of error_k U_k,column over k in [from, to), for one strip. */
function carry(
  columns: usize,
  errors: usize,
  stride: usize,
  factor: usize,
  count: i32,
  from: i32,
  to: i32,
  column: i32,
): void {
  const at = columns + <usize>column * stride;
  let sum0 = v128.load(at);
  let sum1 = v128.load(at, 16);
  let sum2 = v128.load(at, 32);
  let sum3 = v128.load(at, 48);
  for (let k = from; k < to; k++) {
    const weight = v128.load64_splat(factor + ((<usize>k * <usize>count + <usize>column) << 3));
    const error = errors + <usize>k * stride;
    sum0 = f64x2.sub(sum0, f64x2.mul(weight, v128.load(error)));
    sum1 = f64x2.sub(sum1, f64x2.mul(weight, v128.load(error, 16)));
    sum2 = f64x2.sub(sum2, f64x2.mul(weight, v128.load(error, 32)));
    sum3 = f64x2.sub(sum3, f64x2.mul(weight, v128.load(error, 48)));
  }
  v128.store(at, sum0);
  v128.store(at, sum1, 16);
  v128.store(at, sum2, 32);
  v128.store(at, sum3, 48);
}

/** Two outputs of one column: nearest codes and their errors, divided by the diagonal of U. */
function quantizePair(
  column: usize,
  error: usize,
  codes: usize,
  scales: usize,
  zeroPoints: usize,
  diagonal: f64,
  highestCode: f64,
): void {
  const value = v128.load(column);
  const scale = v128.load(scales);
  const zeroPoint = v128.load(zeroPoints);
  const inverse = f64x2.div(f64x2.splat(1), scale);
  const position = f64x2.add(f64x2.mul(value, inverse), f64x2.add(zeroPoint, f64x2.splat(0.5)));
  const clamped = f64x2.max(f64x2.splat(0), f64x2.min(f64x2.splat(highestCode), position));
  const code = f64x2.floor(clamped);
  const loss = f64x2.sub(value, f64x2.mul(scale, f64x2.sub(code, zeroPoint)));
  v128.store(error, f64x2.div(loss, f64x2.splat(diagonal)));
  store<u8>(codes, <u8>f64x2.extract_lane(code, 0));
  store<u8>(codes + 1, <u8>f64x2.extract_lane(code, 1));
}
