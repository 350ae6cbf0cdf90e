const GROWING_SHARE = 0.8;

/** Sweeps after which all nonzeros are there. */
export function growingSweeps(sweeps: number): number {
  return Math.max(1, GROWING_SHARE * sweeps);
}

/** The share of the nonzeros that are there after so many of all sweeps: `firstShare` at the start, all after four fifths. */
export function shareAfter(sweep: number, sweeps: number, firstShare: number): number {
  return firstShare + (1 - firstShare) * Math.min(1, sweep / growingSweeps(sweeps));
}
