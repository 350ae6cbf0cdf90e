/** Values `mantissa * 10^exponent` inside `minimum..maximum`, rising; both ends above 0, mantissas in 1..10. */
export function decadeTicks(minimum: number, maximum: number, mantissas: readonly number[]): number[] {
  const ticks: number[] = [];
  for (let exponent = Math.floor(Math.log10(minimum)); 10 ** exponent <= maximum; exponent++) {
    for (const mantissa of mantissas) {
      // Read from text: 3 * 10 ** -5 is not the number nearest to 3e-5.
      const tick = Number(`${mantissa}e${exponent}`);
      if (tick >= minimum && tick <= maximum) ticks.push(tick);
    }
  }
  return ticks;
}
