import type { Estimate } from '@quern/evaluator';
import type { DamagedDocument, DocumentScore } from './evaluationReport.ts';

/** Figures of one model, each with one standard error over windows. */
export interface SideScores {
  readonly perplexity: Estimate;
  /** Null where no word begins in the scored text. */
  readonly wordPerplexity: Estimate | null;
  readonly bitsPerByte: Estimate;
  /** Next token right. */
  readonly accuracy: Estimate;
  readonly calibrationError: Estimate;
}

/** What one row of a comparison broke, against the original on the same tokens. */
export interface RowScores {
  readonly before: SideScores;
  readonly after: SideScores;
  readonly klDivergence: Estimate;
  readonly klPercentile99: Estimate;
  readonly klMaximum: number;
  readonly topAgreement: Estimate;
  readonly topFiveAgreement: Estimate;
  /** Tokens that became wrong and right in all, and both together a window. */
  readonly flips: { readonly lost: number; readonly gained: number; readonly perDocument: Estimate };
  /** Of nats per token more: 95 % interval and p-value by paired bootstrap over windows. */
  readonly low: number;
  readonly high: number;
  readonly pValue: number;
  /** After Benjamini and Hochberg, over the rows of the comparison. */
  readonly adjustedPValue: number;
  readonly documents: readonly DocumentScore[];
  readonly damaged: readonly DamagedDocument[];
}
