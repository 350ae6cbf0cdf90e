import type { QuantizedWeight } from './compressedWeight.ts';

/** A quantised weight of which a few rows are in memory at a time. */
export interface SlicedQuantized
  extends Pick<QuantizedWeight, 'outFeatures' | 'inFeatures' | 'bits' | 'groupSize' | 'scaleType'> {
  /** Rows in order, as weights of their own with the same grid settings; computed as they are asked for. */
  readonly slices: () => AsyncIterable<QuantizedWeight>;
}
