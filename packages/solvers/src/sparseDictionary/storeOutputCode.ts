import type { DenseWeight, SparseWeight } from '@quern/core';
import { gemm, type Matrix, transpose } from '@quern/linalg';
import { toDenseWeight } from '../toDenseWeight.ts';
import { fitInMetric } from './fitInMetric.ts';
import type { OutputCode } from './learnOutputAtoms.ts';
import type { OutputProblem, OutputSegment } from './outputProblem.ts';
import { scaleRows } from './scaleRows.ts';
import { toSparse } from './toSparse.ts';

const FIT_STEPS = 20;

/** Factors over outputs as they are stored. */
export interface StoredOutputCode {
  /** `[outFeatures, atomCount]`, for all sites. */
  readonly left: DenseWeight;
  /** `[atomCount, inFeatures]`, one a site. */
  readonly rights: readonly SparseWeight[];
  /** The share of the energy of all sites that is left over. */
  readonly remaining: number;
}

/**
 * Atoms over outputs and coefficients over inputs as they are stored, in float16: atoms on the left, their rows' scales undone; coefficients on
 * the right, fitted to the atoms as they were rounded, the inputs' roots undone.
 *
 * Errors: SOLVER_FAILED for values above 65504. Cost: for each site 20 steps of fitInMetric.
 */
export async function storeOutputCode(
  { segments, energy }: OutputProblem,
  rowScales: Float64Array | null,
  { atoms, coefficients }: Pick<OutputCode, 'atoms' | 'coefficients'>,
): Promise<StoredOutputCode> {
  const turned = transpose(atoms);
  const left = toDenseWeight(rowScales ? scaleRows(turned, rowScales, 'over') : turned, 'The dictionary');
  const stored = { rows: turned.rows, columns: turned.columns, data: Float64Array.from(left.data) };
  const rounded = rowScales ? scaleRows(stored, rowScales) : stored;
  const atomGram = await gemm(rounded, rounded, { transposeA: true });
  const rights: SparseWeight[] = [];
  let rest = energy;
  for (const [index, segment] of segments.entries()) {
    const products = await gemm(rounded, segment.pull, { transposeA: true });
    const { right, change } = await storeSegment(coefficients.parts[index]!, segment, { atomGram, products });
    rights.push(right);
    rest += change;
  }
  return { left, rights, remaining: energy > 0 ? Math.max(0, rest / energy) : 0 };
}

async function storeSegment(
  coefficients: Matrix<Float64Array>,
  { correlations, roots }: OutputSegment,
  { atomGram, products }: { readonly atomGram: Matrix<Float64Array>; readonly products: Matrix<Float64Array> },
): Promise<{ right: SparseWeight; change: number }> {
  const { rows, columns } = coefficients;
  const fitted = await fitInMetric(coefficients, { atomGram, products, correlations }, FIT_STEPS);
  const plain = fitted.data.map((value, index) => value / roots[index % columns]!);
  const { data } = toDenseWeight({ rows, columns, data: plain }, 'The coefficients');
  const values = { rows, columns, data: new Float64Array(data.length) };
  for (let index = 0; index < data.length; index++) values.data[index] = data[index]! * roots[index % columns]!;
  const image = await gemm(await gemm(atomGram, values), correlations);
  let change = 0;
  for (let index = 0; index < image.data.length; index++) {
    change += values.data[index]! * (image.data[index]! - 2 * products.data[index]!);
  }
  return { right: toSparse(data, coefficients), change };
}
