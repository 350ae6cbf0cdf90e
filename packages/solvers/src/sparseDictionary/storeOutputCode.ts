import type { LowRankWeight } from '@quern/core';
import { gemm, transpose } from '@quern/linalg';
import { toDenseWeight } from '../toDenseWeight.ts';
import { fitInMetric } from './fitInMetric.ts';
import type { LearntCode } from './learntCode.ts';
import type { OutputProblem } from './outputProblem.ts';
import { scaleRows } from './scaleRows.ts';
import { toSparse } from './toSparse.ts';

const FIT_STEPS = 20;

/**
 * Atoms over outputs and coefficients over inputs as they are stored, in float16: atoms `[outFeatures, atomCount]` on the left, their rows' scales
 * undone; coefficients `[atomCount, inFeatures]` on the right, fitted to the atoms as they were rounded, the inputs' roots undone.
 *
 * Errors: SOLVER_FAILED for values above 65504. Cost: 20 steps of fitInMetric.
 */
export async function storeOutputCode(
  problem: OutputProblem,
  rowScales: Float64Array | null,
  code: LearntCode,
): Promise<LowRankWeight> {
  const { target, roots, energy, pull, correlations } = problem;
  const { rows: atomCount, columns: inFeatures } = code.coefficients;
  const turned = transpose(code.atoms);
  const left = toDenseWeight(rowScales ? scaleRows(turned, rowScales, 'over') : turned, 'The dictionary');
  const stored = { rows: target.rows, columns: atomCount, data: Float64Array.from(left.data) };
  const atoms = rowScales ? scaleRows(stored, rowScales) : stored;
  const equations = {
    atomGram: await gemm(atoms, atoms, { transposeA: true }),
    products: await gemm(atoms, pull, { transposeA: true }),
    correlations,
  };
  const fitted = await fitInMetric(code.coefficients, equations, FIT_STEPS);
  const plain = fitted.data.map((value, index) => value / roots[index % inFeatures]!);
  const { data } = toDenseWeight({ rows: atomCount, columns: inFeatures, data: plain }, 'The coefficients');
  const values = { rows: atomCount, columns: inFeatures, data: Float64Array.from(data) };
  for (let index = 0; index < values.data.length; index++) values.data[index]! *= roots[index % inFeatures]!;
  const image = await gemm(await gemm(equations.atomGram, values), correlations);
  let rest = energy;
  for (let index = 0; index < image.data.length; index++) {
    rest += values.data[index]! * (image.data[index]! - 2 * equations.products.data[index]!);
  }
  const objectives = [...code.objectives, energy > 0 ? Math.max(0, rest / energy) : 0];
  return {
    ...{ kind: 'lowRank', outFeatures: target.rows, inFeatures, left, sharedRight: null },
    right: toSparse(data, code.coefficients),
    convergence: { objectives, stoppedBy: code.stoppedBy },
  };
}
