import type { Convergence } from '@quern/core';
import type { Device } from '@quern/runtime';
import type { BudgetReport } from './budget/budgetReport.ts';
import type { RotationTrial } from './chooseRotation.ts';
import type { PreparedText } from './open/prepareText.ts';
import type { Recipe } from './recipe.ts';
import type { EmbeddingReport } from './solve/compressEmbeddings.ts';

/** Everything `compress` needs to know; the recipe says what the result is, the rest how to get there. */
export interface CompressRequest {
  readonly model: string;
  readonly out: string;
  readonly recipe: Recipe;
  readonly tokenizer?: string | undefined;
  /** Folder of inputs for a model that reads no text. */
  readonly feeds?: string | undefined;
  /** Folders of captured statistics to solve from, instead of calibration; those of several add. */
  readonly statistics?: readonly string[] | undefined;
  /** Text that was prepared before, to calibrate on in place of the recipe's. */
  readonly calibrationText?: PreparedText | undefined;
  /** How it was decided whether to rotate, where that was left open. */
  readonly rotationTrial?: RotationTrial | undefined;
  /** A set or file to measure perplexity on, null for none. */
  readonly evaluate: string | null;
  readonly windowLength?: number | undefined;
  readonly perDocument: boolean;
  readonly device: 'auto' | Device;
  readonly threads?: number | undefined;
  readonly force: boolean;
  /** Continue the run that stands in `out`. */
  readonly resume: boolean;
}

export interface SiteReport {
  readonly name: string;
  readonly solver: string;
  /** Bits of the grid or of the factors; 16 for floats. */
  readonly nominalBits: number;
  /** Inputs that share a scale; null without a grid. */
  readonly groupSize: number | null;
  /** All bits of the site in the file. */
  readonly storageBits: number;
  /** The initializers that were stored for it. */
  readonly tensors: readonly string[];
  /** The name of a factor that it has in common with others, of which the first stored it; absent without one. */
  readonly sharedFactor?: string;
  /** How it is packed; absent where the file holds what the kernels read. */
  readonly packed?: PackedReport;
  readonly relativeOutputError: number | null;
  readonly relativeWeightError: number;
  /** What was done because the solver failed; absent when it did not. */
  readonly onFailure?: string;
  readonly durationMs: number;
  /** What each sweep left over; absent for solvers without. */
  readonly convergence?: Convergence;
}

export interface PackedReport {
  /** How the codes are stored: through the entropy coder, as bit planes, or as they are. */
  readonly encoding: 'rans' | 'planes' | 'sparse' | 'raw';
  /** Bits of the site once unpacked, in the container that runs. */
  readonly containerBits: number;
  /** What `storageBits` would be with all codes as bit planes of their own width. */
  readonly planeBits: number;
}

export interface PerplexityReport {
  readonly data: string;
  readonly windowLength: number;
  readonly stride: number;
  readonly before: number;
  /** The written file in a default session. */
  readonly after: number;
  /** The written file with float32 arithmetic in its n-bit kernels. */
  readonly exact: number;
  /** Of `after`. */
  readonly standardError: number;
  /** Mean nats per token, after minus before. */
  readonly nllDifference: number;
  readonly nllDifferenceStandardError: number;
  readonly tokenCount: number;
}

export interface OutputReport {
  readonly name: string;
  /** ||after - before|| / ||before|| over all samples, as the file ships; null where the original gives zeros only. */
  readonly relativeDifference: number | null;
  /** The same with float32 arithmetic in the n-bit kernels. */
  readonly exact: number | null;
}

export interface StorageReport {
  /** All graph and data files of the original. */
  readonly originalBytes: number;
  /** All graph and data files of the result. */
  readonly compressedBytes: number;
  /** File bytes of the solved sites' tensors. */
  readonly storedBytes: number;
  /** 8 storedBytes / original element count of the solved sites; null when nothing was solved. */
  readonly bitsPerWeight: number | null;
  /** The same three once unpacked, in the container that runs; absent where the files are that. */
  readonly container?: Pick<StorageReport, 'compressedBytes' | 'storedBytes' | 'bitsPerWeight'>;
}

export interface CompressResult {
  readonly output: string;
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
  readonly storage: StorageReport;
  readonly sites: readonly SiteReport[];
  readonly embeddings: readonly EmbeddingReport[];
  readonly perplexity: PerplexityReport | null;
  /** What a budget was kept by; null without one. */
  readonly budget: BudgetReport | null;
  /** How far each output moved on the feeds; null without feeds. */
  readonly outputs: readonly OutputReport[] | null;
  readonly windowsUsed: number;
  readonly dtype: string;
  readonly durationMs: number;
}
