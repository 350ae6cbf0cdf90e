import { gemm, type Matrix, submatrix, type WordSearch } from '@quern/linalg';
import type { CodebookProblem } from './codebookProblem.ts';
import type { Recursion } from './recursionOf.ts';

/** Inputs per lazy update. */
const BLOCK_INPUTS = 128;

/** Groups of a block of lazy updates. */
export function groupsPerBlock(groupSize: number): number {
  return Math.max(1, Math.floor(BLOCK_INPUTS / groupSize));
}

export interface GroupsToSearch {
  readonly search: WordSearch;
  /** `[inputCount, rows]`: what is left to represent, or without a recursion H times it. Used up. */
  readonly columns: Matrix<Float64Array>;
  readonly recursion: Recursion | null;
}

/** All groups in order. What a group does to later ones is carried to its block at once, to the rest when the block is done. */
export async function searchGroups(
  problem: CodebookProblem,
  { search, columns, recursion }: GroupsToSearch,
): Promise<number> {
  const { groupCount, inputCount, hessian, format } = problem;
  const { groupSize } = format;
  const rows = columns.columns;
  const carry = recursion?.carry ?? hessian;
  const stride = search.linear.length / groupSize;
  const together = groupsPerBlock(groupSize);
  let fallen = 0;
  for (let first = 0; first < groupCount; first += together) {
    const last = Math.min(first + together, groupCount);
    const blockEnd = last * groupSize;
    const moves = {
      rows: (last - first) * groupSize,
      columns: rows,
      data: new Float64Array((last - first) * groupSize * rows),
    };
    for (let group = first; group < last; group++) {
      const start = group * groupSize;
      const end = start + groupSize;
      const slot = group - first;
      const own = { rows: groupSize, columns: rows, data: columns.data.subarray(start * rows, end * rows) };
      const metric = recursion?.metrics[group] ?? submatrix(hessian, start, start, groupSize, groupSize);
      const linear = recursion ? await gemm(metric, own) : own;
      for (let line = 0; line < groupSize; line++) {
        search.linear.set(linear.data.subarray(line * rows, (line + 1) * rows), line * stride);
      }
      fallen += search.search({ group, rows, metric, rounds: recursion ? 2 : 1, assigned: recursion === null, slot });
      const move = moves.data.subarray(slot * groupSize * rows, (slot + 1) * groupSize * rows);
      for (let line = 0; line < groupSize; line++) {
        const from = (slot * groupSize + line) * stride;
        move.set(search.changes.subarray(from, from + rows), line * rows);
      }
      if (recursion) for (let index = 0; index < move.length; index++) move[index] = own.data[index]! - move[index]!;
      await carryOn(carry, start, { rows: groupSize, columns: rows, data: move }, columns, end, blockEnd);
    }
    await carryOn(carry, first * groupSize, moves, columns, blockEnd, inputCount);
  }
  return fallen;
}

/** columns[from, to) -= carry[rows of the move, from .. to)^T move */
async function carryOn(
  carry: Matrix<Float64Array>,
  row: number,
  move: Matrix<Float64Array>,
  columns: Matrix<Float64Array>,
  from: number,
  to: number,
): Promise<void> {
  if (from >= to) return;
  const width = columns.columns;
  const output = { rows: to - from, columns: width, data: columns.data.subarray(from * width, to * width) };
  const part = submatrix(carry, row, from, move.rows, to - from);
  await gemm(part, move, { transposeA: true, alpha: -1, beta: 1, output });
}
