/** Passes over the sample before the best step found is taken. */
const MOST_PASSES = 6;
/** Octaves around the guess that are searched. */
const FARTHEST = 24;
/** Bits per weight by which the sample may miss its target. */
const TOLERANCE = 0.002;

/**
 * The step at which codes take `target` bits per weight: a secant search over log2(step), kept between the steps known to be
 * too fine and too coarse.
 *
 * `rateAt` gives bits per weight at a step, and falls as the step grows; it is called at most six times. `guess` is where the
 * search starts, `least` the smallest step allowed. A target that no step reaches gives the step that came nearest.
 */
export async function findStep(
  target: number,
  guess: number,
  rateAt: (step: number) => Promise<number>,
  least = 0,
): Promise<number> {
  let fine = Number.NEGATIVE_INFINITY;
  let coarse = Number.POSITIVE_INFINITY;
  const lowest = Math.log2(least);
  let at = Math.max(lowest, Math.log2(guess));
  let best = { at, miss: Number.POSITIVE_INFINITY };
  let last: { at: number; rate: number } | null = null;
  for (let pass = 0; pass < MOST_PASSES; pass++) {
    const rate = await rateAt(2 ** at);
    const miss = Math.abs(rate - target);
    if (miss < best.miss) best = { at, miss };
    if (miss <= TOLERANCE || (rate < target && at === lowest)) break;
    if (rate > target) fine = Math.max(fine, at);
    else coarse = Math.min(coarse, at);
    // An octave costs about a bit where codes are many, less where most are zero.
    const slope: number = last && last.at !== at ? (rate - last.rate) / (at - last.at) : -1;
    last = { at, rate };
    const next: number = Math.max(lowest, at + (target - rate) / Math.min(-0.05, Math.max(-1.5, slope)));
    if (Math.abs(next - Math.log2(guess)) > FARTHEST) break;
    at = next > fine && next < coarse ? next : Number.isFinite(fine + coarse) ? (fine + coarse) / 2 : next;
  }
  return 2 ** best.at;
}
