/** Bytes of a large matrix, in float32, that are in memory at once. */
const SLICE_BYTES = 32e6;

/** Rows of so many columns that are handled together, at least one. */
export function rowsPerSlice(columns: number, sliceBytes = SLICE_BYTES): number {
  return Math.max(1, Math.floor(sliceBytes / (4 * columns)));
}
