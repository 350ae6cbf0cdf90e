/** A run of tokens that goes through the model at once. */
export interface TokenWindow {
  readonly ids: Int32Array;
  /** Position of the first token whose loss counts; earlier ones are context. At least 1: the first has nothing before it. */
  readonly firstScored: number;
}
