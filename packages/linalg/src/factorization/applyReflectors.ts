import { gemm } from '../gemm.ts';
import type { Matrix } from '../matrix.ts';
import type { ReflectorBlock } from './reflectorBlock.ts';

/**
 * target := H_0 H_1 ... target in place, for the reflections of all blocks in order; `target` `[n, columns]`.
 *
 * Source: LAPACK's larfb. Cost: 2 count length columns multiply-adds a block, scratch count x columns values twice.
 */
export async function applyReflectors<Data extends Float32Array | Float64Array>(
  blocks: readonly ReflectorBlock<Data>[],
  target: Matrix<Data>,
): Promise<void> {
  const { rows, columns } = target;
  for (const { start, vectors, factor } of blocks.toReversed()) {
    const below = { rows: rows - start, columns, data: target.data.subarray(start * columns) as Data };
    const weights = await gemm(factor, await gemm(vectors, below)); // [count, columns]
    await gemm(vectors, weights, { transposeA: true, alpha: -1, beta: 1, output: below });
  }
}
