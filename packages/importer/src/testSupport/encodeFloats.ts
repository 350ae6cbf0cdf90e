/** Element types that weights are stored in. */
export type WeightDtype = 'F32' | 'F16' | 'BF16';

/** Rounds values to a stored type: its little-endian bytes, and the values that they stand for. */
export function encodeFloats(values: Float64Array, dtype: WeightDtype): { bytes: Uint8Array; rounded: Float64Array } {
  switch (dtype) {
    case 'F32': {
      const stored = Float32Array.from(values);
      return { bytes: new Uint8Array(stored.buffer), rounded: Float64Array.from(stored) };
    }
    case 'F16': {
      const stored = Float16Array.from(values);
      return { bytes: new Uint8Array(stored.buffer), rounded: Float64Array.from(stored) };
    }
    case 'BF16': {
      // The upper half of a float32, cut off: rounding toward zero is good enough to make test weights.
      const words = new Uint32Array(Float32Array.from(values).buffer);
      const stored = Uint16Array.from(words, word => word >>> 16);
      const widened = new Float32Array(Uint32Array.from(stored, half => half << 16).buffer);
      return { bytes: new Uint8Array(stored.buffer), rounded: Float64Array.from(widened) };
    }
  }
}
