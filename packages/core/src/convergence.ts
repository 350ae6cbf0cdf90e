/** How a solver that takes turns came to its result: a report, no part of the weight. */
export interface Convergence {
  /**
   * The share of ||W X||_F^2 that is left after each sweep and, last, as the factors are stored: the square of the relative output error.
   * Of sites that have a factor in common each has its own share, and only their sum falls; of those that are one weight to their solver all
   * have the mean of their shares.
   */
  readonly objectives: readonly number[];
  /** What ended the sweeps: too little gained by them, or as many as were asked for. */
  readonly stoppedBy: 'tolerance' | 'sweeps';
}
