import type { ColumnQuantizer, Matrix } from '@quern/linalg';

/** Outputs copied together: eight rows are read as streams, eight float64 written as one cache line. */
const TOGETHER = 8;

/** Writes the outputs [start, end) of a weight as the kernel's columns: column c is input order[c], float64. */
export function loadColumns(
  weight: Matrix<Float32Array>,
  start: number,
  end: number,
  order: Uint32Array,
  { columns, outputStride }: ColumnQuantizer,
): void {
  const { data, columns: inFeatures } = weight;
  for (let first = start; first < end; first += TOGETHER) {
    const last = Math.min(first + TOGETHER, end);
    for (let column = 0; column < order.length; column++) {
      const at = column * outputStride - start;
      const input = order[column]!;
      for (let output = first; output < last; output++) columns[at + output] = data[output * inFeatures + input]!;
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
  for (let first = start; first < end; first += TOGETHER) {
    const last = Math.min(first + TOGETHER, end);
    for (let column = 0; column < inFeatures; column++) {
      const at = column * outputStride - start;
      const input = order[column]!;
      for (let output = first; output < last; output++) codes[output * inFeatures + input] = columnCodes[at + output]!;
    }
  }
}
