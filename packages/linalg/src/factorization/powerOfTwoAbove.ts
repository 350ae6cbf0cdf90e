/** A power of two p with p / 2 <= value <= p, to divide by without rounding; 1 for 0. */
export function powerOfTwoAbove(value: number): number {
  if (value === 0) return 1;
  const power = 2 ** Math.ceil(Math.log2(value));
  return Number.isFinite(power) ? Math.max(power, 2 ** -1021) : 2 ** 1023;
}
