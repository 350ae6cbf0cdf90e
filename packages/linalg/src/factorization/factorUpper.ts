import { engine } from '../engine.ts';
import { gemm } from '../gemm.ts';
import { LEAF, smallCholesky } from '../wasm/smallFactor.ts';
import { solveUpperInPlace } from './solveUpperInPlace.ts';
import { joinUpper, splitUpper } from './splitUpper.ts';

/**
 * A = U^T U in place; reads and writes the upper triangle. Returns -1, or the first row whose pivot is not positive.
 *
 * Recursive: [A11 A12; . A22]: U11 of A11, U12 = U11^-T A12, then U22 of A22 - U12^T U12, the last product by GEMM.
 */
export async function factorUpper(a: Float64Array, n: number): Promise<number> {
  const { openBlas } = await engine();
  if (openBlas !== null) return openBlas.choleskyUpper(a, n);
  return factor(a, n);
}

async function factor(a: Float64Array, n: number): Promise<number> {
  if (n <= LEAF) return smallCholesky(a, n);
  const blocks = splitUpper(a, n);
  const { head, side, tail } = blocks;
  const headPivot = await factor(head.data, head.rows);
  if (headPivot >= 0) return headPivot;
  await solveUpperInPlace(head.data, head.rows, side.data, side.columns, true);
  await gemm(side, side, { transposeA: true, alpha: -1, beta: 1, output: tail });
  const tailPivot = await factor(tail.data, tail.rows);
  if (tailPivot >= 0) return head.rows + tailPivot;
  joinUpper(blocks, a);
  return -1;
}
