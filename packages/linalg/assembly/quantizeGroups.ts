/**
 * Lowest and highest value of every group of a float32 matrix, both widened to 0, as pairs of float32 at `ranges`.
 * Rows have `columns` values in groups of `groupSize`, the last one shorter. A NaN or infinity makes its group's range NaN.
 */
export function groupRanges(values: usize, rows: i32, columns: i32, groupSize: i32, ranges: usize): void {
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
        residue = f32x4.add(residue, f32x4.sub(four, four));
      }
      for (; values < end; values += 4) {
        const one = v128.load32_splat(values);
        lowest = f32x4.pmin(lowest, one);
        highest = f32x4.pmax(highest, one);
        residue = f32x4.add(residue, f32x4.sub(one, one));
      }
      store<f32>(ranges, leastLane(f32x4.add(lowest, residue)));
      store<f32>(ranges, -leastLane(f32x4.neg(f32x4.add(highest, residue))), 4);
      ranges += 8;
    }
  }
}

function leastLane(lanes: v128): f32 {
  const first = min(f32x4.extract_lane(lanes, 0), f32x4.extract_lane(lanes, 1));
  return min(first, min(f32x4.extract_lane(lanes, 2), f32x4.extract_lane(lanes, 3)));
}

/**
 * Codes of a float32 matrix in the same groups: clamp(floor(w inverseScale + offset), 0, highestCode), in float64, one
 * inverse scale and one offset (zero point + 1/2) per group.
 */
export function quantizeGroups(
  values: usize,
  rows: i32,
  columns: i32,
  groupSize: i32,
  inverseScales: usize,
  offsets: usize,
  highestCode: f64,
  codes: usize,
): void {
  const top = f64x2.splat(highestCode);
  for (let row = 0; row < rows; row++) {
    const rowEnd = values + ((<usize>columns) << 2);
    while (values < rowEnd) {
      const end = min(values + ((<usize>groupSize) << 2), rowEnd);
      const inverse = v128.load64_splat(inverseScales);
      const offset = v128.load64_splat(offsets);
      inverseScales += 8;
      offsets += 8;
      for (; values + 32 <= end; values += 32) {
        const low = fourCodes(v128.load(values), inverse, offset, top);
        const high = fourCodes(v128.load(values, 16), inverse, offset, top);
        const words = i16x8.narrow_i32x4_u(low, high);
        v128.store64_lane(codes, i8x16.narrow_i16x8_u(words, words), 0);
        codes += 8;
      }
      for (; values < end; values += 4) {
        store<u8>(codes, <u8>i32x4.extract_lane(fourCodes(v128.load32_splat(values), inverse, offset, top), 0));
        codes += 1;
      }
    }
  }
}

function fourCodes(four: v128, inverse: v128, offset: v128, top: v128): v128 {
  const low = twoCodes(four, inverse, offset, top);
  const high = twoCodes(i64x2.shuffle(four, four, 1, 0), inverse, offset, top);
  return i32x4.shuffle(low, high, 0, 2, 4, 6);
}

/** The codes of the first two of four values, each in the low half of 64 bits: adding 2^52 leaves an integer there. */
function twoCodes(four: v128, inverse: v128, offset: v128, top: v128): v128 {
  const position = f64x2.add(f64x2.mul(f64x2.promote_low_f32x4(four), inverse), offset);
  const clamped = f64x2.pmax(f64x2.splat(0), f64x2.pmin(top, position));
  return f64x2.add(f64x2.floor(clamped), f64x2.splat(4503599627370496));
}
