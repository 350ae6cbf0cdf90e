import { type Matrix, submatrix } from '@quern/linalg';
import { nextBlockEnd } from './nextBlockEnd.ts';

/** One block of columns [start, end) and its rows of the upper factor U. */
export interface FactorBlock {
  readonly start: number;
  readonly end: number;
  /** U between the block's own columns, `[count, count]`. */
  readonly within: Matrix<Float64Array>;
  /** U from the block to all later columns, `[count, columns after the block]`. */
  readonly toRest: Matrix<Float64Array>;
}

/** Cuts U into blocks of at most `blockSize` columns; see nextBlockEnd for where groups make them shorter. */
export function cutFactor(factor: Matrix<Float64Array>, blockSize: number, groupSize: number): FactorBlock[] {
  const n = factor.rows;
  const blocks: FactorBlock[] = [];
  for (let start = 0, end = 0; start < n; start = end) {
    end = nextBlockEnd(start, blockSize, groupSize, n);
    const count = end - start;
    const within = submatrix(factor, start, start, count, count);
    blocks.push({ start, end, within, toRest: submatrix(factor, start, end, count, n - end) });
  }
  return blocks;
}
