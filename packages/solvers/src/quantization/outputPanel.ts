import type { ColumnQuantizer, Matrix } from '@quern/linalg';

/** Inputs copied together: a square of 32 x 32 stays in the first cache while rows become columns. */
const TILE = 32;

/** Writes the outputs [start, end) of a weight as the kernel's columns: column c is input order[c], float64. */
export function loadColumns(
  weight: Matrix<Float32Array>,
  start: number,
  end: number,
  order: Uint32Array,
  { columns, outputStride }: ColumnQuantizer,
): void {
  for (let tile = 0; tile < order.length; tile += TILE) {
    const tileEnd = Math.min(tile + TILE, order.length);
    for (let output = start; output < end; output++) {
      const row = output * weight.columns;
      for (let column = tile; column < tileEnd; column++) {
        columns[column * outputStride + output - start] = weight.data[row + order[column]!]!;
      }
    }
  }
}

/** Writes the kernel's codes back to `[outFeatures, inFeatures]`, inputs in their own order. */
export function storeCodes(
  { codes: columnCodes, outputStride }: ColumnQuantizer,
  start: number,
  end: number,
  order: Uint32Array,
  codes: Uint8Array,
): void {
  const inFeatures = order.length;
  for (let tile = 0; tile < inFeatures; tile += TILE) {
    const tileEnd = Math.min(tile + TILE, inFeatures);
    for (let output = start; output < end; output++) {
      for (let column = tile; column < tileEnd; column++) {
        codes[output * inFeatures + order[column]!] = columnCodes[column * outputStride + output - start]!;
      }
    }
  }
}
