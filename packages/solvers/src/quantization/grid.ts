/** One uniform grid: w = scale (code - zeroPoint). Caller-owned, so that a loop over many groups allocates nothing. */
export interface Grid {
  /** Negative where a symmetric group's extreme value is positive: the extreme then lands on code 0. */
  scale: number;
  zeroPoint: number;
}

/** How grids of a weight are chosen. */
export interface GridRule {
  /** Codes run over 0 .. 2^bits - 1. */
  readonly bits: number;
  /** True: the zero point is 2^(bits-1) for every group. False: an integer zero point per group. */
  readonly symmetric: boolean;
  /** Also try ranges down to a fifth and keep the one with the least error. */
  readonly shrinkSearch: boolean;
  /** Scales are rounded to this type before codes are chosen. */
  readonly scaleType: 'float16' | 'float32';
  /** With float16: scales below its normal range become 2^-14 instead of not fitting. */
  readonly raiseSmallScales: boolean;
}
