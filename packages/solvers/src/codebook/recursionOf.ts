import { CompressionError } from '@quern/core';
import { choleskyOfInverse, type Matrix, solveTriangular, submatrix } from '@quern/linalg';
import type { CodebookProblem } from './codebookProblem.ts';

/** Groups in processing order with what GPTQ's recursion needs: each metric counts what later groups can make up for. */
export interface Recursion {
  readonly metrics: readonly Matrix<Float64Array>[];
  /** `[inputCount, inputCount]`: an error e of a group moves all later inputs by e times the group's rows of this. */
  readonly carry: Matrix<Float64Array>;
}

/**
 * With H^-1 = U^T U and U_j the diagonal block of group j: metric U_j^-1 U_j^-T, carry U_j^-1 U.
 *
 * Errors: NOT_POSITIVE_DEFINITE naming the input. Cost: inputCount^3 / 2 multiply-adds.
 */
export async function recursionOf(problem: CodebookProblem, dampingFraction: number): Promise<Recursion> {
  const { hessian, groupCount, inputCount, format } = problem;
  const { groupSize } = format;
  const { matrix: factor, pivot } = await choleskyOfInverse(hessian);
  if (factor === null) {
    throw new CompressionError(
      'NOT_POSITIVE_DEFINITE',
      `The damped Hessian is not positive definite at input ${pivot} with dampingFraction ${dampingFraction}; raise dampingFraction (to ${dampingFraction * 10}, say) or calibrate on more text.`,
      { pivot, dampingFraction },
    );
  }
  const metrics: Matrix<Float64Array>[] = [];
  const carry = { rows: inputCount, columns: inputCount, data: new Float64Array(inputCount * inputCount) };
  for (let group = 0; group < groupCount; group++) {
    const start = group * groupSize;
    const own = submatrix(factor, start, start, groupSize, groupSize);
    const rest = submatrix(factor, start, start, groupSize, inputCount - start);
    const moved = await solveTriangular(own, rest, { triangle: 'upper' });
    for (let row = 0; row < groupSize; row++) {
      const from = row * moved.columns;
      carry.data.set(moved.data.subarray(from, from + moved.columns), (start + row) * inputCount + start);
    }
    metrics.push(squareOf(await solveTriangular(own, identity(groupSize), { triangle: 'upper' })));
  }
  return { metrics, carry };
}

/** A A^T */
function squareOf({ rows, columns, data }: Matrix<Float64Array>): Matrix<Float64Array> {
  const square = new Float64Array(rows * rows);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < rows; column++) {
      for (let k = 0; k < columns; k++)
        square[row * rows + column]! += data[row * columns + k]! * data[column * columns + k]!;
    }
  }
  return { rows, columns: rows, data: square };
}

function identity(n: number): Matrix<Float64Array> {
  const data = new Float64Array(n * n);
  for (let index = 0; index < data.length; index += n + 1) data[index] = 1;
  return { rows: n, columns: n, data };
}
