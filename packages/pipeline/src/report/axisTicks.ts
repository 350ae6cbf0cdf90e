import { decadeTicks } from './decadeTicks.ts';

const MANTISSAS: readonly (readonly number[])[] = [
  [1],
  [1, 3],
  [1, 2, 5],
  [1, 1.5, 2, 3, 5, 7],
  [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8],
];

/** Round values inside `minimum..maximum`, at most `count` of them and as many as fit: steps of 1, 2, 2.5 or 5, or parts of decades. */
export function axisTicks(
  minimum: number,
  maximum: number,
  options: { logarithmic: boolean; count: number },
): number[] {
  if (!(maximum > minimum)) return [minimum];
  if (options.logarithmic) {
    const sets = MANTISSAS.map(mantissas => decadeTicks(minimum, maximum, mantissas));
    const fitting = sets.filter(ticks => ticks.length >= 3 && ticks.length <= options.count).at(-1);
    if (fitting) return fitting;
    // More decades than ticks: every second one, every third one, ...
    const decades = sets[0]!;
    if (decades.length > options.count) {
      const every = Math.ceil(decades.length / options.count);
      return decades.filter((_, index) => index % every === 0);
    }
  }
  return inSteps(minimum, maximum, options.count);
}

function inSteps(minimum: number, maximum: number, count: number): number[] {
  const rough = (maximum - minimum) / count;
  const decade = Math.floor(Math.log10(rough));
  for (const mantissa of [1, 2, 2.5, 5, 10, 20]) {
    const step = Number(`${mantissa}e${decade}`);
    const first = Math.ceil(minimum / step);
    const last = Math.floor(maximum / step);
    if (last - first + 1 <= count) {
      // Twelve digits: 3 * 0.1 is 0.3 again.
      return Array.from({ length: last - first + 1 }, (_, index) => Number(((first + index) * step).toPrecision(12)));
    }
  }
  return [minimum, maximum];
}
