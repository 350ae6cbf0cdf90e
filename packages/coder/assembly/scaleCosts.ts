/**
 * What each of sixteen neighbouring scales would cost for lines of codes (one byte each): 16 float32 a line at `sums`.
 *
 * Costs (float32) stand at `costs`, `costBytes` bytes for a code, one for every sum of a line's scale and that of the line across.
 * `across` gives the scale of the line across times 4 for each of the `count` codes of a line (32 bits each); `firsts` the first
 * of the sixteen scales for each line, times 4.
 */
export function scaleCosts(
  codes: usize,
  across: usize,
  firsts: usize,
  lines: i32,
  count: i32,
  costs: usize,
  costBytes: i32,
  sums: usize,
): void {
  const acrossEnd = across + ((<usize>count) << 2);
  for (let line = 0; line < lines; line++, firsts += 4, sums += 64) {
    const base = costs + <usize>load<u32>(firsts);
    let sum0 = f32x4.splat(0);
    let sum1 = f32x4.splat(0);
    let sum2 = f32x4.splat(0);
    let sum3 = f32x4.splat(0);
    for (let at = across; at < acrossEnd; at += 4, codes++) {
      const from = base + <usize>load<u8>(codes) * <usize>costBytes + <usize>load<u32>(at);
      sum0 = f32x4.add(sum0, v128.load(from));
      sum1 = f32x4.add(sum1, v128.load(from, 16));
      sum2 = f32x4.add(sum2, v128.load(from, 32));
      sum3 = f32x4.add(sum3, v128.load(from, 48));
    }
    v128.store(sums, sum0);
    v128.store(sums, sum1, 16);
    v128.store(sums, sum2, 32);
    v128.store(sums, sum3, 48);
  }
}
