import { gemm, type Matrix } from '@quern/linalg';
import { fitOnSupport, type NormalEquations } from './fitOnSupport.ts';
import { keepLargest } from './keepLargest.ts';

const ROUNDS = 2;
const FIT_STEPS = 10;

/** Of the largest square of an atom: what is below that is rounding of atoms that the inputs do not see. */
const LEAST_SEEN = 1e-6;

/**
 * Coefficients by hard-thresholding pursuit, from those given: twice a gradient step, the largest `counts[row]` values of each row kept, ten
 * steps of conjugate gradients on them. A row takes what it gets only if its distance falls. Atoms count as if they were of one norm.
 *
 * Source: Foucart 2011; the gradient step is that of steepest descent over all atoms. Cost: 32 products of outFeatures atomCount^2 multiply-adds.
 */
export async function pursueByThreshold(
  coefficients: Matrix<Float64Array>,
  { atomGram, correlations }: NormalEquations,
  counts: Int32Array,
): Promise<Matrix<Float64Array>> {
  const { rows, columns } = coefficients;
  const squares = Float64Array.from({ length: columns }, (_, atom) => atomGram.data[atom * (columns + 1)]!);
  const least = LEAST_SEEN * squares.reduce((most, square) => Math.max(most, square), 0);
  const norms = squares.map(square => Math.sqrt(Math.max(square, least)) || 1);
  const scale = (matrix: Matrix<Float64Array>, factorAt: (row: number, column: number) => number) => ({
    ...matrix,
    data: matrix.data.map((value, index) => value * factorAt(Math.floor(index / columns), index % columns)),
  });
  const equations = {
    atomGram: scale(atomGram, (row, column) => 1 / (norms[row]! * norms[column]!)),
    correlations: scale(correlations, (_, column) => 1 / norms[column]!),
  };
  let best = scale(coefficients, (_, column) => norms[column]!);
  for (let round = 0; round < ROUNDS; round++) {
    const moved = await descend(best, equations);
    for (let row = 0; row < rows; row++) {
      keepLargest(moved.data.subarray(row * columns, (row + 1) * columns), counts[row]!);
    }
    const fitted = await fitOnSupport(moved, equations, FIT_STEPS);
    const [before, after] = [await distances(best, equations), await distances(fitted, equations)];
    const data = best.data.slice();
    for (let row = 0; row < rows; row++) {
      if (!(after[row]! < before[row]!)) continue;
      data.set(fitted.data.subarray(row * columns, (row + 1) * columns), row * columns);
    }
    best = { rows, columns, data };
  }
  // Rows that kept their places follow atoms that moved.
  const fitted = await fitOnSupport(best, equations, FIT_STEPS);
  return scale(fitted, (_, column) => 1 / norms[column]!);
}

/** A step of steepest descent, each row with its own best length. */
async function descend(
  coefficients: Matrix<Float64Array>,
  { atomGram, correlations }: NormalEquations,
): Promise<Matrix<Float64Array>> {
  const { rows, columns } = coefficients;
  const output = { rows, columns, data: correlations.data.slice() };
  const slope = await gemm(coefficients, atomGram, { alpha: -1, beta: 1, output });
  const image = await gemm(slope, atomGram);
  const moved = coefficients.data.slice();
  for (let row = 0; row < rows; row++) {
    let square = 0;
    let curvature = 0;
    for (let index = row * columns; index < (row + 1) * columns; index++) {
      square += slope.data[index]! ** 2;
      curvature += slope.data[index]! * image.data[index]!;
    }
    const length = curvature > 0 ? square / curvature : 0;
    for (let index = row * columns; index < (row + 1) * columns; index++) moved[index]! += length * slope.data[index]!;
  }
  return { rows, columns, data: moved };
}

/** ||Y - C D||^2 of each row, less ||Y||^2. */
async function distances(
  coefficients: Matrix<Float64Array>,
  { atomGram, correlations }: NormalEquations,
): Promise<Float64Array> {
  const { rows, columns } = coefficients;
  const image = await gemm(coefficients, atomGram);
  const sums = new Float64Array(rows);
  for (let index = 0; index < image.data.length; index++) {
    sums[Math.floor(index / columns)]! +=
      coefficients.data[index]! * (image.data[index]! - 2 * correlations.data[index]!);
  }
  return sums;
}
