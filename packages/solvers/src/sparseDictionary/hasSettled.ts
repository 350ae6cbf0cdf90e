/** Of the objective, in the last three sweeps: well below what rounding to float16 moves. */
const TOLERANCE = 1e-4;
const SPAN = 3;

/** Of the target: what is below that is rounding. */
const LEAST_LEFT = 1e-12;

/**
 * Whether sweeps with these objectives may end: over the last three it moved by less than 1e-4 of itself, or 1e-12 of the target or less is
 * left. `from` is the first sweep that counts, where those before it had fewer nonzeros.
 */
export function hasSettled(objectives: readonly number[], from = 0): boolean {
  if (objectives.length === 0) return false;
  if (objectives.at(-1)! <= LEAST_LEFT) return true;
  const first = objectives.length - 1 - SPAN;
  if (first < from) return false;
  const recent = objectives.slice(first);
  return Math.max(...recent) - Math.min(...recent) < TOLERANCE * recent[0]!;
}
