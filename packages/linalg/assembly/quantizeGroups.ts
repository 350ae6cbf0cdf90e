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
        residue = f32x4.relaxed_madd(four, nothing, residue);
      }
      for (; values < end; values += 4) {
        const one = v128.load32_splat(values);
        lowest = f32x4.pmin(lowest, one);
        highest = f32x4.pmax(highest, one);
        residue = f32x4.relaxed_madd(one, nothing, residue);
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

/**
 * Codes of a float32 matrix in the same groups: clamp(floor(w / scale + zero point + 1/2), 0, highestCode), in float64, one scale and one
 * zero point per group, float32 both; the scale is inverted once.
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
  const top = f64x2.splat(highestCode);
  for (let row = 0; row < rows; row++) {
    const rowEnd = values + ((<usize>columns) << 2);
    while (values < rowEnd) {
      const end = min(values + ((<usize>groupSize) << 2), rowEnd);
      const inverse = f64x2.splat(1 / <f64>load<f32>(scales));
      const offset = f64x2.splat(<f64>load<f32>(zeros) + 0.5);
      scales += 4;
      zeros += 4;
      for (; values + 64 <= end; values += 64, codes += 16) {
        const first = fourCodes(v128.load(values), inverse, offset, top);
        const second = fourCodes(v128.load(values, 16), inverse, offset, top);
        const third = fourCodes(v128.load(values, 32), inverse, offset, top);
        const fourth = fourCodes(v128.load(values, 48), inverse, offset, top);
        const halves = i16x8.narrow_i32x4_s(first, second);
        v128.store(codes, i8x16.narrow_i16x8_u(halves, i16x8.narrow_i32x4_s(third, fourth)));
      }
      for (; values < end; values += 4, codes++) {
        const lanes = fourCodes(v128.load32_splat(values), inverse, offset, top);
        store<u8>(codes, <u8>i32x4.extract_lane(lanes, 0));
      }
    }
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
