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
}

/** One weight after a solver. Switched exhaustively in `reconstruct`, `storageBits` and the exporter's `toNodes`. */
export type CompressedWeight = QuantizedWeight;
