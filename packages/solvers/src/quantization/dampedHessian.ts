import { CompressionError, type InputStatistics } from '@quern/core';
import { choleskyOfInverse, type Matrix } from '@quern/linalg';

/** The Hessian of GPTQ's layer problem, in the order in which columns are processed. */
export interface DampedHessian {
  /** `order[column]` is the input that is processed as that column. */
  readonly order: Uint32Array;
  /** Inputs that were zero for every token. */
  readonly dead: readonly number[];
  /** 2 G / tokenCount + lambda I, rows and columns in `order`. */
  readonly matrix: Matrix<Float64Array>;
}

/**
 * H = 2 G / tokenCount + lambda I with lambda = dampingFraction times the mean of the live inputs' diagonal.
 *
 * Dead inputs get the mean as their diagonal, where the reference code puts 1: so that scaling the Gram changes nothing.
 * With `actOrder` columns go by falling diagonal, ties by index.
 */
export function dampedHessian(statistics: InputStatistics, dampingFraction: number, actOrder: boolean): DampedHessian {
  const { inputGram, tokenCount } = statistics;
  const n = inputGram.rows;
  const energies = Float64Array.from(
    { length: n },
    (_, input) => inputGram.data[input * n + input]! * (2 / tokenCount),
  );
  const dead = [...energies.keys()].filter(input => energies[input] === 0);
  const mean = energies.reduce((sum, energy) => sum + energy, 0) / (n - dead.length);
  for (const input of dead) energies[input] = mean;
  const order = Uint32Array.from({ length: n }, (_, input) => input);
  if (actOrder) order.sort((first, second) => energies[second]! - energies[first]! || first - second);
  const data = new Float64Array(n * n);
  for (let row = 0; row < n; row++) {
    const from = order[row]! * n;
    for (let column = 0; column < n; column++) {
      data[row * n + column] = inputGram.data[from + order[column]!]! * (2 / tokenCount);
    }
    data[row * n + row] = energies[order[row]!]! + dampingFraction * mean;
  }
  return { order, dead, matrix: { rows: n, columns: n, data } };
}

/**
 * The upper U with H^-1 = U^T U, in the memory of the Hessian's matrix.
 *
 * Errors: NOT_POSITIVE_DEFINITE naming the input; damping is never raised silently.
 */
export async function inverseFactor(hessian: DampedHessian, dampingFraction: number): Promise<Matrix<Float64Array>> {
  const { matrix, pivot } = await choleskyOfInverse(hessian.matrix, { overwrite: true });
  if (matrix !== null) return matrix;
  const input = hessian.order[pivot]!;
  throw new CompressionError(
    'NOT_POSITIVE_DEFINITE',
    `The damped Hessian is not positive definite at input ${input} with dampingFraction ${dampingFraction}; raise dampingFraction (to ${dampingFraction * 10}, say) or calibrate on more text.`,
    { input, pivot, dampingFraction },
  );
}
