/** Bytes of what `powerOf` reads. */
export const POWER_TABLE_BYTES: usize = 240;

/**
 * Writes the constants of `powerOf`, each four times over. They come from memory because an engine that finds them in the code
 * builds each anew, in three instructions, for every use in a loop with more constants than registers.
 */
export function fillPowerTable(table: usize): void {
  v128.store(table, i32x4.splat(0x007fffff));
  v128.store(table, i32x4.splat(0x3f800000), 16);
  v128.store(table, f32x4.splat(2 ** -23), 32);
  // log2 m - (m - 1) for 1 <= m < 2, less the bias of exponents.
  v128.store(table, f32x4.splat(0.04300495779), 48);
  v128.store(table, f32x4.splat(-0.4025133936), 64);
  v128.store(table, f32x4.splat(1.589474295), 80);
  v128.store(table, f32x4.splat(-3.489878551), 96);
  v128.store(table, f32x4.splat(4.047855413), 112);
  v128.store(table, f32x4.splat(-1.787926207 - 127), 128);
  // 2^f - 1 - f for 0 <= f < 1, plus 192.
  v128.store(table, f32x4.splat(0.01367030945), 144);
  v128.store(table, f32x4.splat(0.05174499776), 160);
  v128.store(table, f32x4.splat(0.2416043573), 176);
  v128.store(table, f32x4.splat(-0.3070270778), 192);
  v128.store(table, f32x4.splat(192), 208);
  v128.store(table, i32x4.splat((127 << 23) - (0x43400000 << 7)), 224);
}

/**
 * 2^(p log2 x + k) for four normal x > 0, good to 7e-5 for |p| <= 2 where -60 < p log2 x + k < 60: what log2 adds to the straight line
 * between powers of two, and 2^f takes from it, by polynomials through Chebyshev's nodes, summed up in
 * few steps that wait for each other.
 */
export function powerOf(x: v128, p: v128, k: v128, table: usize): v128 {
  const m = v128.or(v128.and(x, v128.load(table)), v128.load(table, 16));
  const square = f32x4.mul(m, m);
  const highest = multiplyAdd(v128.load(table, 48), m, v128.load(table, 64));
  const middle = multiplyAdd(v128.load(table, 80), m, v128.load(table, 96));
  const lowest = multiplyAdd(v128.load(table, 112), m, v128.load(table, 128));
  const log = multiplyAdd(square, multiplyAdd(square, highest, middle), lowest);
  // The bits of x as an integer are 2^23 (127 + log2 x) on that line.
  const line = f32x4.mul(f32x4.convert_i32x4_s(x), v128.load(table, 32));
  const exponent = multiplyAdd(f32x4.add(line, log), p, k);
  const f = f32x4.sub(exponent, f32x4.floor(exponent));
  const f2 = f32x4.mul(f, f);
  const upper = multiplyAdd(v128.load(table, 160), f, v128.load(table, 176));
  const lower = multiplyAdd(v128.load(table, 192), f, v128.load(table, 208));
  const power = multiplyAdd(f2, multiplyAdd(f2, v128.load(table, 144), upper), lower);
  // 192 + y holds 2^16 y in its last bits.
  const bits = i32x4.shl(f32x4.add(exponent, power), 7);
  return i32x4.add(bits, v128.load(table, 224));
}

/** The same of `count` float32 values, k = 0, with room for whole lanes at both; `table` is filled in. */
export function powersOf(values: usize, count: i32, p: f32, table: usize, results: usize): void {
  fillPowerTable(table);
  const end = values + ((<usize>count) << 2);
  for (; values < end; values += 16, results += 16) {
    v128.store(results, powerOf(v128.load(values), f32x4.splat(p), f32x4.splat(0), table));
  }
}

/** a b + c, rounded twice on every processor: fused where there is an instruction for it, results would depend on the machine. */
export function multiplyAdd(a: v128, b: v128, c: v128): v128 {
  return f32x4.add(f32x4.mul(a, b), c);
}
