import type { CompressedWeight } from './compressedWeight.ts';

/** What a solver gives back for one site. */
export interface SolveResult {
  readonly compressed: CompressedWeight;
  /** sqrt(tr(E G E^T) / tr(W G W^T)); null where no Gram was captured. */
  readonly relativeOutputError: number | null;
  /** The same with G = I. */
  readonly relativeWeightError: number;
  readonly storageBits: number;
}
