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

/**
 * Cuts U into blocks of at most `blockSize` columns; see nextBlockEnd for where groups make them shorter.
 *
 * In the memory of `factor`, which is lost: block after block moves towards the beginning, over what was moved or is zero. A copy would be
 * half of it more where memory is fullest. Scratch: one block.
 */
export function cutFactor(factor: Matrix<Float64Array>, blockSize: number, groupSize: number): FactorBlock[] {
  const n = factor.rows;
  const blocks: FactorBlock[] = [];
  let at = 0;
  const move = (part: Matrix<Float64Array>): Matrix<Float64Array> => {
    const data = factor.data.subarray(at, at + part.data.length);
    data.set(part.data);
    at += data.length;
    return { ...part, data };
  };
  for (let start = 0, end = 0; start < n; start = end) {
    end = nextBlockEnd(start, blockSize, groupSize, n);
    const count = end - start;
    const within = submatrix(factor, start, start, count, count);
    const toRest = submatrix(factor, start, end, count, n - end);
    blocks.push({ start, end, within: move(within), toRest: move(toRest) });
  }
  return blocks;
}
