/** What one model said about windows, which stand in the order in which they were given. */
export interface ModelScores {
  /** `[windowCount]` sums of -ln p over the scored tokens, nats. */
  readonly nll: Float64Array;
  /** `[windowCount]` scored tokens than which the model finds no other more likely. */
  readonly right: Int32Array;
  /** Of `calibrationGaps`: confidence is the probability of what the model finds most likely. */
  readonly gaps: Float64Array;
}

/** What a baseline said about the same windows, and how far the model is from it. */
export interface BaselineScores extends ModelScores {
  /** `[windowCount]` sums of KL(baseline || model) over the scored tokens, nats. */
  readonly klDivergence: Float64Array;
  /** KL(baseline || model) of every scored token, window after window. */
  readonly tokenDivergences: Float32Array;
  /** `[windowCount]` scored tokens for which both models find the same token most likely. */
  readonly topAgreements: Int32Array;
  /** `[windowCount]` scored tokens for which the baseline's most likely one is among the model's five most likely. */
  readonly topFiveAgreements: Int32Array;
  /** `[windowCount]` scored tokens that the baseline has right and the model wrong. */
  readonly lost: Int32Array;
  /** `[windowCount]` scored tokens that the baseline has wrong and the model right. */
  readonly gained: Int32Array;
}

/** Losses by window, before they become figures. */
export interface WindowScores extends ModelScores {
  /** `[windowCount]` scored tokens. */
  readonly tokenCounts: Int32Array;
  readonly baseline?: BaselineScores;
}
