import { gemm, type Matrix, zerosLike } from '@quern/linalg';
import { coefficientGram } from './coefficientGram.ts';
import type { Segment } from './outputProblem.ts';
import type { SideBySide } from './sideBySide.ts';
import { type SolvedAtoms, solveAtoms } from './solveAtoms.ts';

/** Of the mean of the diagonal of C R C^T. */
const RIDGE = 1e-6;

/** Atoms over outputs, as rows, and the coefficients of every site. */
export interface OutputAtoms<Data extends Float32Array | Float64Array> {
  /** `[atomCount, outFeatures]`. */
  readonly atoms: Matrix<Data>;
  /** `[atomCount, inFeatures]` for each site. */
  readonly coefficients: SideBySide<Data>;
}

/**
 * The atoms that fit given coefficients, argmin over A of sum_i tr((Y_i - A^T C_i) R_i (Y_i - A^T C_i)^T) + ridge, of norm 1: the norms go to the
 * coefficients, in place. Atoms that no input uses stay as they were.
 *
 * Cost: for each site atomCount inFeatures (inFeatures + atomCount + outFeatures) multiply-adds, and that of solveAtoms.
 */
export async function fitOutputAtoms<Data extends Float32Array | Float64Array>(
  segments: readonly Pick<Segment<Data>, 'correlations' | 'pull'>[],
  { atoms, coefficients: { data, parts } }: OutputAtoms<Data>,
  ridge: number = RIDGE,
): Promise<Pick<SolvedAtoms<Data>, 'atoms' | 'explained'>> {
  const { rows: count, columns: length } = atoms;
  const gram = await coefficientGram(segments, parts);
  const products = { rows: count, columns: length, data: zerosLike(data, count * length) };
  for (const [index, { pull }] of segments.entries()) {
    await gemm(parts[index]!, pull, { transposeB: true, beta: 1, output: products });
  }
  const solved = await solveAtoms({ gram, products }, atoms, ridge);
  if (solved === null) return { atoms, explained: 0 };
  for (const part of parts) {
    for (let index = 0; index < part.data.length; index++) {
      part.data[index]! *= solved.norms[Math.floor(index / part.columns)]!;
    }
  }
  return solved;
}
