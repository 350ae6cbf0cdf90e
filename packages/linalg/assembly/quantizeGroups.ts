/**
 * Lowest and highest value of every group of a float32 matrix, both widened to 0, as pairs of float32 at `ranges`.
 * Rows have `columns` values in groups of `groupSize`, the last one shorter. A NaN or infinity makes its group's range NaN.
 */
export function groupRanges(values: usize, rows: i32, columns: i32, groupSize: i32, ranges: usize): void {
  const zero = f32x4.splat(0);
  const signs = i64x2.splat(i64.MIN_VALUE);
  for (let row = 0; row < rows; row++) {
    const rowEnd = values + ((<usize>columns) << 2);
    while (values < rowEnd) {
      const start = values;
      const end = min(values + ((<usize>groupSize) << 2), rowEnd);
      let lowest = zero;
      let highest = zero;
      // Comparisons pass over a NaN, sums do not. Sums of huge values may leave float32 as well: then each value is looked at.
      let sum = zero;
      for (; values + 32 <= end; values += 32) {
        const first = v128.load(values);
        const second = v128.load(values, 16);
        lowest = f32x4.pmin(lowest, f32x4.pmin(first, second));
        highest = f32x4.pmax(highest, f32x4.pmax(first, second));
        sum = f32x4.add(sum, f32x4.add(first, second));
      }
      for (; values < end; values += 4) {
        const one = v128.load32_splat(values);
        lowest = f32x4.pmin(lowest, one);
        highest = f32x4.pmax(highest, one);
        sum = f32x4.add(sum, one);
      }
      const rest = f32x4.sub(sum, sum);
      if (v128.any_true(f32x4.ne(rest, zero)) && !areFinite(start, end)) {
        store<f32>(ranges, NaN);
        store<f32>(ranges, NaN, 4);
      } else {
        // Four lanes of both come down to one of each, the highest turned round.
        const turned = f32x4.neg(highest);
        const evens = i32x4.shuffle(lowest, turned, 0, 4, 1, 5);
        const halves = f32x4.pmin(evens, i32x4.shuffle(lowest, turned, 2, 6, 3, 7));
        const least = f32x4.pmin(halves, i32x4.shuffle(halves, halves, 2, 3, 0, 1));
        v128.store64_lane(ranges, v128.xor(least, signs), 0);
      }
      ranges += 8;
    }
  }
}

function areFinite(values: usize, end: usize): bool {
  for (; values < end; values += 4) {
    const value = load<f32>(values);
    if (value - value !== 0) return false;
  }
  return true;
}

/** Positions on a grid are counted in 2^-16 of a code. */
const UNITS: f32 = 65536;
/** Past every code, with a fraction that no boundary is near to; an i32 holds it. */
const FAR: f32 = 32767.5 * 65536;
/** Bits of 2^-60, and from there to 2^100: steps outside leave float32 too little room. */
const LEAST_STEP: u32 = 67 << 23;
const STEP_RANGE: u32 = 160 << 23;

/**
 * Codes of a float32 matrix in the same groups: clamp(floor(w / scale + zero point + 1/2), 0, highestCode), as in float64, one scale and
 * one zero point per group, float32 both; the scale is inverted once.
 *
 * Float32 decides wherever it is sure to. With a zero point on the grid no position that decides is above highestCode + 1 codes, and
 * its roundings, of the step, the product, the offset and the sum, move it by less than (highestCode + 1) 2^-6 units. Where one lies
 * as near as that to a boundary between codes, float64 takes the group.
 */
export function quantizeGroups(
  values: usize,
  rows: i32,
  columns: i32,
  groupSize: i32,
  scales: usize,
  zeros: usize,
  highestCode: f64,
  codes: usize,
): void {
  const highest = <f32>highestCode;
  const tolerance = ceil((highest + 1) / 64) + 1;
  // Positions are moved up by the tolerance: those that crossed a boundary by it, or might have, lie little above one.
  const unsure = i32x4.splat(2 * <i32>tolerance);
  const far = f32x4.splat(FAR);
  const mask = i32x4.splat(0xffff);
  const top = i8x16.splat(<i8>highestCode);
  for (let row = 0; row < rows; row++) {
    const rowEnd = values + ((<usize>columns) << 2);
    while (values < rowEnd) {
      const end = min(values + ((<usize>groupSize) << 2), rowEnd);
      const scale = load<f32>(scales);
      const zero = load<f32>(zeros);
      const step = UNITS / scale;
      const steps = f32x4.splat(step);
      const offset = f32x4.splat(UNITS * (zero + 0.5) + tolerance);
      const sixteens = values + ((end - values) & ~63);
      const groupCodes = codes;
      let nearest = mask;
      let at = values;
      for (; at < sixteens; at += 64, codes += 16) {
        const first = fixedPosition(v128.load(at), steps, offset, far);
        const second = fixedPosition(v128.load(at, 16), steps, offset, far);
        const third = fixedPosition(v128.load(at, 32), steps, offset, far);
        const fourth = fixedPosition(v128.load(at, 48), steps, offset, far);
        const firstTwo = i32x4.min_s(v128.and(first, mask), v128.and(second, mask));
        const lastTwo = i32x4.min_s(v128.and(third, mask), v128.and(fourth, mask));
        nearest = i32x4.min_s(nearest, i32x4.min_s(firstTwo, lastTwo));
        const low = i16x8.narrow_i32x4_s(i32x4.shr_s(first, 16), i32x4.shr_s(second, 16));
        const high = i16x8.narrow_i32x4_s(i32x4.shr_s(third, 16), i32x4.shr_s(fourth, 16));
        v128.store(codes, i8x16.min_u(top, i8x16.narrow_i16x8_u(low, high)));
      }
      // As unsigned integers floats above 0 have their own order, and those below lie above them all.
      const isFar = i32((reinterpret<u32>(step) & 0x7fffffff) - LEAST_STEP > STEP_RANGE);
      const isOff = i32(reinterpret<u32>(zero) > reinterpret<u32>(highest));
      if (isFar | isOff | i32(v128.any_true(i32x4.lt_s(nearest, unsure)))) {
        at = values;
        codes = groupCodes;
      }
      if (at < end) {
        exactCodes(at, end, scale, zero, highestCode, codes);
        codes += (end - at) >> 2;
      }
      values = end;
      scales += 4;
      zeros += 4;
    }
  }
}

function fixedPosition(four: v128, steps: v128, offset: v128, far: v128): v128 {
  return i32x4.relaxed_trunc_f32x4_s(f32x4.pmin(far, f32x4.add(f32x4.mul(four, steps), offset)));
}

/** The codes of [values, end) in float64. */
function exactCodes(values: usize, end: usize, scale: f64, zero: f64, highestCode: f64, codes: usize): void {
  const inverse = f64x2.splat(1 / scale);
  const offset = f64x2.splat(zero + 0.5);
  const top = f64x2.splat(highestCode);
  for (; values + 16 <= end; values += 16, codes += 4) {
    const lanes = fourCodes(v128.load(values), inverse, offset, top);
    const halves = i16x8.narrow_i32x4_s(lanes, lanes);
    v128.store32_lane(codes, i8x16.narrow_i16x8_u(halves, halves), 0);
  }
  for (; values < end; values += 4, codes++) {
    const lanes = fourCodes(v128.load32_splat(values), inverse, offset, top);
    store<u8>(codes, <u8>i32x4.extract_lane(lanes, 0));
  }
}

function fourCodes(four: v128, inverse: v128, offset: v128, top: v128): v128 {
  const low = twoCodes(four, inverse, offset, top);
  const high = twoCodes(i64x2.shuffle(four, four, 1, 0), inverse, offset, top);
  return i64x2.shuffle(low, high, 0, 2);
}

/** The codes of the first two of four values. */
function twoCodes(four: v128, inverse: v128, offset: v128, top: v128): v128 {
  const position = f64x2.add(f64x2.mul(f64x2.promote_low_f32x4(four), inverse), offset);
  return i32x4.relaxed_trunc_f64x2_s_zero(f64x2.pmax(f64x2.splat(0), f64x2.pmin(top, position)));
}
