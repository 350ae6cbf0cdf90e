/**
 * Exact McNemar test: two-sided p-value that a change turns right answers wrong as often as wrong ones right.
 *
 * Of `lost + gained` answers that flipped, under the null hypothesis each was as likely lost as gained, so
 * p = min(1, 2 P(X <= min(lost, gained))) with X binomial of chance 1/2. Source: McNemar, Psychometrika 12 (1947), in its exact form.
 * The same number is the sign test over documents that became better or worse. Answers must be independent of each other.
 *
 * `lost`, `gained`: whole numbers from 0. No flips give 1. Cost: min(lost, gained) steps; relative error about 1e-16 a step.
 */
export function mcnemarTest(lost: number, gained: number): number {
  const flips = lost + gained;
  const fewer = Math.min(lost, gained);
  let logTerm = -flips * Math.LN2;
  for (let index = 1; index <= fewer; index++) logTerm += Math.log((flips - fewer + index) / index);
  let tail = 0;
  let term = Math.exp(logTerm);
  // From the largest term down: C(n, i - 1) = C(n, i) i / (n - i + 1).
  for (let index = fewer; index >= 0; index--) {
    tail += term;
    term *= index / (flips - index + 1);
  }
  return Math.min(1, 2 * tail);
}
