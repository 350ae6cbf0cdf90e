import { carry } from './carry';

/** Outputs treated together: four SIMD registers, one cache line of float64. */
const STRIP: usize = 64;

/**
 * Quantises the columns [from, to) of a block one after the other and carries each error into the block's later columns.
 *
 * `columns`, `errors`, `scales` and `zeroPoints` are rows of `stride` bytes, one row per column of the block, one float64 per
 * output; `codes` has one byte where they have eight. `factor` is the block's square of U, `count` x `count`.
 * For column i: code = clamp(floor(shrink(w / scale) + zeroPoint + 1/2)), error_i = (w - scale (code - zeroPoint)) / U_ii,
 * and w_j -= error_i U_ij for j > i; shrink moves a position towards 0 by at most `deadZone`.
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
  deadZone: f64,
): void {
  const factorStride = (<usize>count) << 3;
  const firstFactor = factor + <usize>from * factorStride;
  const firstError = errors + <usize>from * stride;
  for (let strip: usize = 0; strip < stride; strip += STRIP) {
    for (let column = from; column < to; column++) {
      const at = strip + <usize>column * stride;
      const above = firstFactor + ((<usize>column) << 3);
      carry(columns + at, firstError + strip, stride, above, factorStride, column - from);
      const diagonal = load<f64>(above + <usize>(column - from) * factorStride);
      for (let pair: usize = 0; pair < STRIP; pair += 16) {
        quantizePair(
          columns + at + pair,
          errors + at + pair,
          codes + ((at + pair) >> 3),
          scales + at + pair,
          zeroPoints + at + pair,
          diagonal,
          highestCode,
          deadZone,
        );
      }
    }
    let column = to;
    for (; column + 1 < count; column += 2) {
      const at = columns + strip + <usize>column * stride;
      carryToPair(at, firstError + strip, stride, firstFactor + ((<usize>column) << 3), factorStride, to - from);
    }
    if (column < count) {
      const at = columns + strip + <usize>column * stride;
      carry(at, firstError + strip, stride, firstFactor + ((<usize>column) << 3), factorStride, to - from);
    }
  }
}

/** The same for two neighbouring columns, which share the loads of the errors. */
function carryToPair(column: usize, error: usize, stride: usize, factor: usize, factorStride: usize, terms: i32): void {
  const next = column + stride;
  let sum0 = v128.load(column);
  let sum1 = v128.load(column, 16);
  let sum2 = v128.load(column, 32);
  let sum3 = v128.load(column, 48);
  let next0 = v128.load(next);
  let next1 = v128.load(next, 16);
  let next2 = v128.load(next, 32);
  let next3 = v128.load(next, 48);
  for (; terms > 0; terms--) {
    const weight = v128.load64_splat(factor);
    const nextWeight = v128.load64_splat(factor, 8);
    const error0 = v128.load(error);
    const error1 = v128.load(error, 16);
    sum0 = f64x2.sub(sum0, f64x2.mul(weight, error0));
    next0 = f64x2.sub(next0, f64x2.mul(nextWeight, error0));
    sum1 = f64x2.sub(sum1, f64x2.mul(weight, error1));
    next1 = f64x2.sub(next1, f64x2.mul(nextWeight, error1));
    const error2 = v128.load(error, 32);
    const error3 = v128.load(error, 48);
    sum2 = f64x2.sub(sum2, f64x2.mul(weight, error2));
    next2 = f64x2.sub(next2, f64x2.mul(nextWeight, error2));
    sum3 = f64x2.sub(sum3, f64x2.mul(weight, error3));
    next3 = f64x2.sub(next3, f64x2.mul(nextWeight, error3));
    factor += factorStride;
    error += stride;
  }
  v128.store(column, sum0);
  v128.store(column, sum1, 16);
  v128.store(column, sum2, 32);
  v128.store(column, sum3, 48);
  v128.store(next, next0);
  v128.store(next, next1, 16);
  v128.store(next, next2, 32);
  v128.store(next, next3, 48);
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
  deadZone: f64,
): void {
  const value = v128.load(column);
  const scale = v128.load(scales);
  const zeroPoint = v128.load(zeroPoints);
  const inverse = f64x2.div(f64x2.splat(1), scale);
  const exact = f64x2.mul(value, inverse);
  const moved = f64x2.pmax(f64x2.splat(-deadZone), f64x2.pmin(f64x2.splat(deadZone), exact));
  const position = f64x2.add(f64x2.sub(exact, moved), f64x2.add(zeroPoint, f64x2.splat(0.5)));
  const clamped = f64x2.pmax(f64x2.splat(0), f64x2.pmin(f64x2.splat(highestCode), position));
  const code = f64x2.floor(clamped);
  const loss = f64x2.sub(value, f64x2.mul(scale, f64x2.sub(code, zeroPoint)));
  v128.store(error, f64x2.div(loss, f64x2.splat(diagonal)));
  const whole = i32x4.trunc_sat_f64x2_u_zero(code);
  store<u8>(codes, <u8>i32x4.extract_lane(whole, 0));
  store<u8>(codes + 1, <u8>i32x4.extract_lane(whole, 1));
}
