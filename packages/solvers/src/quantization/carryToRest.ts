import { type ColumnQuantizer, gemm } from '@quern/linalg';
import type { FactorBlock } from './cutFactor.ts';

/**
 * w_j -= sum over the block's columns i of error_i U_ij, for every column j after the block.
 *
 * Cost: columns of the block times columns after it times outputs multiply-adds.
 */
export async function carryToRest(
  block: FactorBlock,
  { columns, errors, outputStride }: ColumnQuantizer,
): Promise<void> {
  const { rows: count, columns: restCount } = block.toRest;
  const blockErrors = { rows: count, columns: outputStride, data: errors.subarray(0, count * outputStride) };
  const rest = { rows: restCount, columns: outputStride, data: columns.subarray(block.end * outputStride) };
  await gemm(block.toRest, blockErrors, { transposeA: true, alpha: -1, beta: 1, output: rest });
}
