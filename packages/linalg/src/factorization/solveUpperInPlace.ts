import { engine } from '../engine.ts';
import { gemm } from '../gemm.ts';
import { LEAF, smallSolve } from '../wasm/smallFactor.ts';
import { splitUpper } from './splitUpper.ts';

/**
 * B := U^-1 B, or U^-T B with `transposed`, for B `[n, columns]`; reads the upper triangle of U only.
 *
 * Recursive: half of the unknowns, then their share is taken off the other half's right-hand sides by GEMM.
 */
export async function solveUpperInPlace(
  u: Float64Array,
  n: number,
  b: Float64Array,
  columns: number,
  transposed: boolean,
): Promise<void> {
  const { openBlas } = await engine();
  if (openBlas !== null) openBlas.solveUpper(u, n, b, columns, transposed);
  else await solve(u, n, b, columns, transposed);
}

async function solve(u: Float64Array, n: number, b: Float64Array, columns: number, transposed: boolean): Promise<void> {
  if (n <= LEAF) {
    smallSolve(u, n, b, columns, transposed);
    return;
  }
  const { head, side, tail } = splitUpper(u, n);
  const half = head.rows;
  const rest = tail.rows;
  const top = { rows: half, columns, data: b.subarray(0, half * columns) };
  const bottom = { rows: rest, columns, data: b.subarray(half * columns) };
  if (transposed) {
    await solve(head.data, half, top.data, columns, true);
    await gemm(side, top, { transposeA: true, alpha: -1, beta: 1, output: bottom });
    await solve(tail.data, rest, bottom.data, columns, true);
  } else {
    await solve(tail.data, rest, bottom.data, columns, false);
    await gemm(side, bottom, { alpha: -1, beta: 1, output: top });
    await solve(head.data, half, top.data, columns, false);
  }
}
