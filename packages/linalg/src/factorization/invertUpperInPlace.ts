import { engine } from '../engine.ts';
import { gemm } from '../gemm.ts';
import { LEAF, smallSolve } from '../wasm/smallFactor.ts';
import { joinUpper, splitUpper } from './splitUpper.ts';

/**
 * U := U^-1 in the upper triangle; the lower one is not read and may be overwritten.
 *
 * Recursive: the inverse of [A B; 0 C] is [A^-1, -A^-1 B C^-1; 0, C^-1].
 */
export async function invertUpperInPlace(u: Float64Array, n: number): Promise<void> {
  const { openBlas } = await engine();
  if (openBlas !== null) openBlas.invertUpper(u, n);
  else await invert(u, n);
}

async function invert(u: Float64Array, n: number): Promise<void> {
  if (n <= LEAF) {
    const identity = new Float64Array(n * n);
    for (let index = 0; index < n; index++) identity[index * n + index] = 1;
    smallSolve(u, n, identity, n, false);
    u.set(identity);
    return;
  }
  const blocks = splitUpper(u, n);
  const { head, side, tail } = blocks;
  await invert(head.data, head.rows);
  await invert(tail.data, tail.rows);
  clearLower(head.data, head.rows);
  clearLower(tail.data, tail.rows);
  const product = await gemm(head, side, { alpha: -1 });
  await gemm(product, tail, { output: side });
  joinUpper(blocks, u);
}

/** Zeros below the diagonal: what the products read must be exactly triangular. */
function clearLower(data: Float64Array, n: number): void {
  for (let row = 1; row < n; row++) data.fill(0, row * n, row * n + row);
}
