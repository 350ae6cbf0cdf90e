/** Writes eight codes (16 bits each) as 8, 4 or 2 bits each, low bits first: `bits` bytes. */
export function packCodes(out: usize, codes: v128, bits: i32): void {
  if (bits === 4) {
    const pairs = v128.or(codes, i32x4.shr_u(codes, 12));
    v128.store32_lane(out, i8x16.shuffle(pairs, pairs, 0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), 0);
  } else if (bits === 8) {
    v128.store64_lane(out, i8x16.narrow_i16x8_u(codes, codes), 0);
  } else {
    const pairs = v128.and(v128.or(codes, i32x4.shr_u(codes, 14)), i32x4.splat(15));
    const fours = v128.or(pairs, i64x2.shr_u(pairs, 28));
    store<u8>(out, <u8>i8x16.extract_lane_u(fours, 0));
    store<u8>(out, <u8>i8x16.extract_lane_u(fours, 8), 1);
  }
}
