import type { Convergence } from '@quern/core';
import type { RowScores } from './evaluation/rowScores.ts';

/** One compared setting, as it stands in results.json. */
export interface ComparisonRow {
  /** As given: `gptq:3`, `svd-llm`, `gptq:3+lowrank`. */
  readonly method: string;
  /** Requested fraction removed; null for methods without. */
  readonly ratio: number | null;
  readonly options: Readonly<Record<string, unknown>>;
  readonly storedBytes: number;
  readonly bitsPerWeight: number;
  /** Unweighted mean over sites. */
  readonly relativeOutputError: number | null;
  readonly perplexity: number | null;
  readonly standardError: number | null;
  readonly klDivergence: number | null;
  readonly nllDifference: number | null;
  readonly nllDifferenceStandardError: number | null;
  /** Null where no text was scored. */
  readonly scores: RowScores | null;
  readonly solveMs: number;
  readonly sites: readonly {
    readonly name: string;
    readonly solver: string;
    readonly storageBits: number;
    readonly elementCount: number;
    readonly relativeOutputError: number | null;
    /** Of methods that go by sweeps. */
    readonly convergence?: Convergence | undefined;
  }[];
  /** Why a row could not be made; its figures are then 0 or null. */
  readonly failure: string | null;
}

/** Several settings on one model, one text and one calibration. */
export interface Comparison {
  readonly version: string;
  readonly model: { readonly path: string; readonly sha256: readonly string[]; readonly elementCount: number };
  /** `bytes`: 16-bit bytes of the same sites. */
  readonly original: { readonly perplexity: number | null; readonly bytes: number };
  readonly evaluation: {
    readonly data: string;
    readonly windowLength: number;
    readonly stride: number;
    readonly tokenCount: number;
  } | null;
  readonly calibration: {
    readonly data: string;
    readonly windows: number;
    readonly windowLength: number;
    readonly sha256: string;
  } | null;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Sorted by `storedBytes`. */
  readonly rows: readonly ComparisonRow[];
}
