const SMALLEST_FLOAT16: f64 = 2 ** -14;
const LARGEST_FLOAT16: f64 = 65504;

/**
 * The grid of every range [lowest <= 0, highest >= 0] of `ranges`, pairs of float32: a scale and a zero point each, float32, at `scales`
 * and `zeros`, by the formulae of gridOfRange in @quern/solvers, in float64. Two at a time: all three need room for an even number.
 * Returns 0, or 1 where a scale does not fit float16, 2 where a range has NaN: then the grids are of no use.
 */
export function coverRanges(
  ranges: usize,
  count: i32,
  highestCode: f64,
  isSymmetric: i32,
  isFloat16: i32,
  raisesSmall: i32,
  scales: usize,
  zeros: usize,
): i32 {
  if (count & 1) store<u64>(ranges + ((<usize>count) << 3), load<u64>(ranges + ((<usize>(count - 1)) << 3)));
  const none = f64x2.splat(0);
  const one = f64x2.splat(1);
  const top = f64x2.splat(highestCode);
  const middle = f64x2.splat((highestCode + 1) / 2);
  let unordered = none;
  let misfits = none;
  for (let index = 0; index < count; index += 2) {
    const pairs = v128.load(ranges);
    const lowest = f64x2.promote_low_f32x4(i32x4.shuffle(pairs, pairs, 0, 2, 0, 2));
    const highest = f64x2.promote_low_f32x4(i32x4.shuffle(pairs, pairs, 1, 3, 1, 3));
    const below = f64x2.neg(lowest);
    const span = f64x2.add(highest, below);
    unordered = v128.or(unordered, f64x2.ne(span, span));
    let exact = f64x2.div(span, top);
    if (isSymmetric) {
      // The extreme value, with its sign turned.
      exact = v128.bitselect(below, f64x2.neg(highest), f64x2.ge(below, highest));
      exact = f64x2.div(exact, middle);
    }
    const isNothing = f64x2.eq(exact, none);
    let scale = exact;
    if (isFloat16) {
      if (raisesSmall) {
        const raised = f64x2.pmax(f64x2.splat(SMALLEST_FLOAT16), f64x2.abs(exact));
        const signed = v128.bitselect(exact, raised, i64x2.splat(i64.MIN_VALUE));
        scale = v128.bitselect(exact, signed, isNothing);
      }
      // Veltkamp's splitting leaves 11 significant bits.
      const shifted = f64x2.mul(scale, f64x2.splat(4398046511105));
      scale = f64x2.sub(shifted, f64x2.sub(shifted, scale));
    } else {
      scale = f64x2.promote_low_f32x4(f32x4.demote_f64x2_zero(scale));
    }
    // All zeros, or so small that the type has no scale for it.
    const isZero = f64x2.eq(scale, none);
    scale = v128.bitselect(one, scale, isZero);
    let zero = middle;
    if (!isSymmetric) {
      zero = f64x2.pmin(top, f64x2.floor(f64x2.add(f64x2.div(below, scale), f64x2.splat(0.5))));
      zero = v128.andnot(zero, isZero);
    }
    if (isFloat16) {
      const size = f64x2.abs(scale);
      const isSmall = v128.or(f64x2.lt(size, f64x2.splat(SMALLEST_FLOAT16)), isZero);
      const leaves = v128.or(isSmall, f64x2.gt(size, f64x2.splat(LARGEST_FLOAT16)));
      misfits = v128.or(misfits, v128.andnot(leaves, isNothing));
    } else {
      // Rounding the zero point can push the far code of a huge range past float32.
      const reach = f64x2.pmax(zero, f64x2.sub(top, zero));
      const most = f64x2.div(f64x2.splat(<f64>f32.MAX_VALUE), reach);
      const isFar = v128.andnot(f64x2.gt(f64x2.abs(scale), most), isZero);
      const nearer = f64x2.mul(f64x2.splat(0.999999), most);
      const signed = v128.bitselect(scale, nearer, i64x2.splat(i64.MIN_VALUE));
      scale = v128.bitselect(signed, scale, isFar);
    }
    v128.store64_lane(scales, f32x4.demote_f64x2_zero(scale), 0);
    v128.store64_lane(zeros, f32x4.demote_f64x2_zero(zero), 0);
    ranges += 16;
    scales += 8;
    zeros += 8;
  }
  if (v128.any_true(unordered)) return 2;
  return i32(v128.any_true(misfits));
}
