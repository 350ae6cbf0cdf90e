import { multiplyAdd } from './power';

/**
 * Lowest and highest value of every group of a float32 matrix, both widened to 0, as pairs of float32 at `ranges`.
 * Rows have `columns` values in groups of `groupSize`, the last one shorter. A NaN or infinity makes its group's range NaN.
 */
export function groupRanges(values: usize, rows: i32, columns: i32, groupSize: i32, ranges: usize): void {
  const nothing = f32x4.splat(0);
  for (let row = 0; row < rows; row++) {
    const rowEnd = values + ((<usize>columns) << 2);
    while (values < rowEnd) {
      const end = min(values + ((<usize>groupSize) << 2), rowEnd);
      let lowest = f32x4.splat(0);
      let highest = f32x4.splat(0);
      // 0 while all values are finite, else NaN: comparisons pass over a NaN, sums do not.
      let residue = f32x4.splat(0);
      for (; values + 16 <= end; values += 16) {
        const four = v128.load(values);
        lowest = f32x4.pmin(lowest, four);
        highest = f32x4.pmax(highest, four);
        residue = multiplyAdd(four, nothing, residue);
      }
      for (; values < end; values += 4) {
        const one = v128.load32_splat(values);
        lowest = f32x4.pmin(lowest, one);
        highest = f32x4.pmax(highest, one);
        residue = multiplyAdd(one, nothing, residue);
      }
      store<f32>(ranges, leastLane(f32x4.add(lowest, residue)));
      store<f32>(ranges, -leastLane(f32x4.neg(f32x4.add(highest, residue))), 4);
      ranges += 8;
    }
  }
}

function leastLane(lanes: v128): f32 {
  const halves = f32x4.pmin(lanes, i32x4.shuffle(lanes, lanes, 2, 3, 0, 1));
  const quarters = f32x4.pmin(halves, i32x4.shuffle(halves, halves, 1, 0, 3, 2));
  return f32x4.extract_lane(quarters, 0);
}

/** Positions on a grid are counted in 2^-16 of a code. */
const UNITS: f32 = 65536;
/** Past every code, with a fraction that no boundary is near to; an i32 holds it. */
const FAR: f32 = 32767.5 * 65536;
/** Steps outside leave float32 too little room. */
const LEAST_STEP: f32 = 2 ** -60;
const LARGEST_STEP: f32 = 2 ** 100;

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
        const firstTwo = i32x4.min_u(v128.and(first, mask), v128.and(second, mask));
        const lastTwo = i32x4.min_u(v128.and(third, mask), v128.and(fourth, mask));
        nearest = i32x4.min_u(nearest, i32x4.min_u(firstTwo, lastTwo));
        const low = i16x8.narrow_i32x4_s(i32x4.shr_s(first, 16), i32x4.shr_s(second, 16));
        const high = i16x8.narrow_i32x4_s(i32x4.shr_s(third, 16), i32x4.shr_s(fourth, 16));
        v128.store(codes, i8x16.min_u(top, i8x16.narrow_i16x8_u(low, high)));
      }
      const isFar = !(abs(step) >= LEAST_STEP && abs(step) <= LARGEST_STEP && zero >= 0 && zero <= highest);
      if (i32(isFar) | i32(v128.any_true(i32x4.lt_u(nearest, unsure)))) {
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
