import type { Evaluation } from '@quern/evaluator';

/** Scores of one window before and after; with --per-document a window is a document. */
export interface DocumentScore {
  readonly tokenCount: number;
  /** Nats per token. */
  readonly before: number;
  readonly after: number;
  /** Mean KL(before || after) per token, nats. */
  readonly klDivergence: number;
  /** Tokens right before and wrong after, and the other way round. */
  readonly lost: number;
  readonly gained: number;
}

/** A token of a damaged document and what both models expected there. */
export interface DamagedToken {
  /** What it adds to the text: empty inside a character of several tokens. */
  readonly text: string;
  readonly isScored: boolean;
  /** KL(before || after), nats; 0 for the first token of a window, which nothing predicts. */
  readonly divergence: number;
  /** Null but where the divergence is among the largest of its document. */
  readonly details: TokenDetails | null;
}

/** What both models expected. */
export interface TokenDetails {
  /** Probability of the token. */
  readonly before: number;
  readonly after: number;
  /** The most likely token, and its probability. */
  readonly topBefore: string;
  readonly topAfter: string;
  readonly confidenceBefore: number;
  readonly confidenceAfter: number;
}

/** Tokens of a text that are numbered and listed below it. */
export const LISTED_TOKENS = 5;

/** Shares of the scored tokens of a text that are coloured, from the strongest colour down. */
export const COLOURED_SHARES: readonly number[] = [0.02, 0.06, 0.14];

export interface DamagedDocument {
  /** Index among `documents`. */
  readonly window: number;
  readonly tokens: readonly DamagedToken[];
}

/** What compression broke in one model: as it stands in evaluation.json, and all that its page is drawn from. */
export interface EvaluationReport {
  readonly version: string;
  readonly model: string;
  readonly baseline: string;
  readonly data: { readonly id: string; readonly sha256: string };
  readonly windowLength: number;
  readonly stride: number;
  readonly perDocument: boolean;
  readonly device: string;
  readonly evaluation: Evaluation & { readonly baseline: NonNullable<Evaluation['baseline']> };
  readonly documents: readonly DocumentScore[];
  /** The most damaged first. */
  readonly damaged: readonly DamagedDocument[];
}
