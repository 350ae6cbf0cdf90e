import type { Convergence } from './convergence.ts';

/** Integers on a grid: w = scale (code - zeroPoint), one scale per output and group of inputs. */
export interface QuantizedWeight {
  readonly kind: 'quantized';
  readonly outFeatures: number;
  readonly inFeatures: number;
  /** Bits of the grid, 2..8. What is stored may be wider. */
  readonly bits: number;
  /** Inputs that share one scale; `inFeatures` for per channel. The last group may be shorter. */
  readonly groupSize: number;
  /** `[outFeatures, inFeatures]`, 0 .. 2^bits - 1. */
  readonly codes: Uint8Array;
  /** `[outFeatures, groupCount]`, values that `scaleType` holds exactly. */
  readonly scales: Float32Array;
  readonly scaleType: 'float16' | 'float32';
  /** `[outFeatures, groupCount]`; null when every zero point is 2^(bits-1). */
  readonly zeroPoints: Uint8Array | null;
  /**
   * `[inFeatures]`; when set, w = inputScale_i scale (code - zeroPoint): what multiplies the input before the kernel does. The exporter
   * folds it into what gives the input, or writes it as one Mul.
   */
  readonly inputScale?: Float32Array;
}

/** A weight, or the factor of one, as it is, in float16. */
export interface DenseWeight {
  readonly kind: 'dense';
  readonly outFeatures: number;
  readonly inFeatures: number;
  /** `[outFeatures, inFeatures]`, values that float16 holds exactly. */
  readonly data: Float32Array;
}

/** A factor that is mostly 0: a bit for each place, and in float16 what stands where the bit is set. */
export interface SparseWeight {
  readonly kind: 'sparse';
  readonly outFeatures: number;
  readonly inFeatures: number;
  /** `[outFeatures, inFeatures]`, 0 or 1. */
  readonly mask: Uint8Array;
  /** One for each 1 of the mask, in its order; values that float16 holds exactly. */
  readonly values: Float32Array;
}

/**
 * Sums of code words: w = scale_output sum_m codebook_m[code], for every group of inputs. Used as a dense weight, which standard
 * operators put together at load.
 */
export interface CodebookWeight {
  readonly kind: 'codebook';
  readonly outFeatures: number;
  readonly inFeatures: number;
  /** Inputs that one code word covers; the last group may reach past the inputs. */
  readonly groupSize: number;
  readonly codebookCount: number;
  /** Bits of a code, 1..16; a codebook has 2^codebookBits words. */
  readonly codebookBits: number;
  /** `[codebookCount, 2^codebookBits, groupSize]`, values that float16 holds exactly. */
  readonly codebooks: Float32Array;
  /** `[outFeatures, groupCount, codebookCount]`. */
  readonly codes: Uint16Array;
  /** `[outFeatures]`, values that float16 holds exactly. */
  readonly scales: Float32Array;
}

/** A sparse factor whose values are on a grid: w = scale (lowest + step code) where the mask is 1, by `sparseLevels(bits)`. */
export interface SparseGridWeight {
  readonly kind: 'sparseGrid';
  readonly outFeatures: number;
  readonly inFeatures: number;
  /** 2..8. */
  readonly bits: number;
  /** `[outFeatures, inFeatures]`, 0 or 1. */
  readonly mask: Uint8Array;
  /** One for each 1 of the mask, in its order, 0 .. 2^bits - 1. */
  readonly codes: Uint8Array;
  /** `[outFeatures]`, values that float16 holds exactly. */
  readonly scales: Float32Array;
}

/** One factor of a product. */
export type Factor = DenseWeight | QuantizedWeight | SparseWeight | SparseGridWeight;

/** The name of a factor that several sites have in common, and how many. */
export interface SharedFactor {
  readonly name: string;
  readonly siteCount: number;
}

/** W = left right, of rank `left.inFeatures` = `right.outFeatures`. */
export interface LowRankWeight {
  readonly kind: 'lowRank';
  readonly outFeatures: number;
  readonly inFeatures: number;
  /** `[outFeatures, rank]`. */
  readonly left: Factor;
  /** `[rank, inFeatures]`. */
  readonly right: Factor;
  /** Set when several sites have this right factor in common: it is stored once, under this name, for so many sites. */
  readonly sharedRight: SharedFactor | null;
  /** The same of the left factor; never of both. */
  readonly sharedLeft?: SharedFactor;
  /** Of solvers that go by sweeps. */
  readonly convergence?: Convergence;
}

/** W = base + correction: a quantised weight and low rank on what it left over. */
export interface CorrectedWeight {
  readonly kind: 'corrected';
  readonly outFeatures: number;
  readonly inFeatures: number;
  readonly base: QuantizedWeight;
  readonly correction: LowRankWeight;
}

/** One weight after a solver. Switched exhaustively in `reconstruct`, `storageBits` and the exporter's `toNodes`. */
export type CompressedWeight =
  | QuantizedWeight
  | CodebookWeight
  | DenseWeight
  | SparseWeight
  | SparseGridWeight
  | LowRankWeight
  | CorrectedWeight;
