import { targetsOf, withoutLast } from '@quern/evaluator';
import type { NamedTensors } from '@quern/runtime';

/** Sequences of one length that go through a model together, and what follows each of their tokens. */
export interface TokenRun {
  /** `[batch]` input tokens. */
  readonly ids: readonly Int32Array[];
  /** `[batch, length]`: the token after each. */
  readonly targets: Int32Array;
  /** The first column whose loss is wanted, 0 unless given. */
  readonly from?: number;
  /** Inputs of the graph that tokens do not give, made when they are needed. */
  readonly others?: () => NamedTensors;
}

/** Sequences of one length, at least 2: every token but the first is scored. */
export function tokenRun(sequences: readonly Int32Array[]): TokenRun {
  return { ids: withoutLast(sequences), targets: targetsOf(sequences) };
}
