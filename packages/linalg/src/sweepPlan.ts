/** One sweep's own numbers. */
export interface SweepStep {
  /** How much coefficients are held back, relative to the curvature along one atom. */
  readonly proximity: number;
  /** How many stay. */
  readonly count: number;
}

/** How a dictionary is learnt. */
export interface SweepPlan {
  readonly steps: readonly SweepStep[];
  /** Of the way that least squares moves an atom, gone once more. */
  readonly overshoot: number;
  /** How much more coefficients are held back from a sweep on that raised the objective. */
  readonly afterRise: number;
  /** Of what the code is for; its squared norm, above 0. */
  readonly energy: number;
  /** Whether sweeps with these objectives may end. */
  readonly hasSettled: (objectives: readonly number[]) => boolean;
}

/** What sweeps hand on beside the matrices. */
export interface SweepProgress {
  /** What proximities are multiplied by from now on. */
  readonly heldBack: number;
  /** What was left over after each fit of the atoms, of 1. */
  readonly objectives: readonly number[];
}
