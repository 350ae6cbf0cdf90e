/** What another model said about the same windows. */
export interface BaselineScores {
  /** `[windowCount]` sums of -ln p over the scored tokens, nats. */
  readonly nll: Float64Array;
  /** `[windowCount]` sums of KL(baseline || model) over the scored tokens, nats; absent when only losses were compared. */
  readonly klDivergence?: Float64Array;
  /** `[windowCount]` scored tokens for which both models find the same token most likely. */
  readonly topAgreements?: Int32Array;
}

/** Losses by window, before they become figures. Windows stand in the order in which they were given. */
export interface WindowScores {
  /** `[windowCount]` sums of -ln p over the scored tokens, nats. */
  readonly nll: Float64Array;
  /** `[windowCount]` scored tokens. */
  readonly tokenCounts: Int32Array;
  readonly baseline?: BaselineScores;
}
