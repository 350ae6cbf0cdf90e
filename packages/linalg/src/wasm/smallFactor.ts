import { FIRST_BYTE, type Kernels, openKernels } from './openKernels.ts';

/** Largest side of a triangle that the kernels take in one piece; larger ones are split until they fit. */
export const LEAF = 64;

/** Right-hand sides per kernel call: 64 rows take 124 KiB of the second cache; an odd multiple of 8 spreads over its sets. */
const CHUNK_COLUMNS = 248;

const FACTOR_AT = FIRST_BYTE;
const SIDES_AT = FACTOR_AT + LEAF * LEAF * 8;
let cached: Kernels | undefined;

function kernels(): Kernels {
  cached ??= openKernels(LEAF * LEAF * 8 + LEAF * CHUNK_COLUMNS * 8);
  return cached;
}

/** A = U^T U in place for n <= LEAF; the lower triangle is left alone. Returns -1, or the row whose pivot failed. */
export function smallCholesky(a: Float64Array, n: number): number {
  const { memory, choleskyUpper } = kernels();
  const scratch = new Float64Array(memory.buffer, FACTOR_AT, n * n);
  scratch.set(a);
  const pivot = choleskyUpper(FACTOR_AT, n);
  a.set(scratch);
  return pivot;
}

/** B := U^-1 B, or U^-T B, in place for n <= LEAF and B `[n, columns]`. */
export function smallSolve(u: Float64Array, n: number, b: Float64Array, columns: number, transposed: boolean): void {
  const { memory, solveUpper, solveUpperTransposed } = kernels();
  new Float64Array(memory.buffer, FACTOR_AT, n * n).set(u);
  const solve = transposed ? solveUpperTransposed : solveUpper;
  for (let start = 0; start < columns; start += CHUNK_COLUMNS) {
    const width = Math.min(CHUNK_COLUMNS, columns - start);
    const padded = Math.ceil(width / 8) * 8;
    const sides = new Float64Array(memory.buffer, SIDES_AT, n * padded);
    for (let row = 0; row < n; row++) {
      const from = row * columns + start;
      sides.set(b.subarray(from, from + width), row * padded);
      sides.fill(0, row * padded + width, (row + 1) * padded);
    }
    solve(FACTOR_AT, n, SIDES_AT, padded * 8);
    for (let row = 0; row < n; row++) {
      b.set(sides.subarray(row * padded, row * padded + width), row * columns + start);
    }
  }
}
