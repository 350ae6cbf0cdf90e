import type { LowRankWeight, SparseWeight } from '@quern/core';
import { gemm, type Matrix } from '@quern/linalg';
import { toFloat64 } from '../lowRank/toFloat64.ts';
import { toDenseWeight } from '../toDenseWeight.ts';
import { fitOnSupport } from './fitOnSupport.ts';
import type { SparseCode } from './sparseCode.ts';
import type { WhitenedWeight } from './whitenWeight.ts';

const FIT_STEPS = 12;

/**
 * A code of the whitened weight as it is stored: the dictionary in float16, back from the whitened space, its rows of norm 1; the
 * coefficients fitted to it as it was rounded, then rounded too.
 *
 * Errors: SOLVER_FAILED for values above 65504. Cost: atomCount inFeatures^2 + 13 outFeatures atomCount^2 multiply-adds.
 */
export async function storeCode(problem: WhitenedWeight, code: SparseCode): Promise<LowRankWeight> {
  const { weight, gram, whitening } = problem;
  const { rows: outFeatures, columns: inFeatures } = weight;
  const plain = await whitening.undo(code.atoms);
  const norms = normalizeRows(plain);
  const right = toDenseWeight(plain, 'The dictionary');
  const atoms = toFloat64({ rows: right.outFeatures, columns: inFeatures, data: right.data });
  const weighted = await gemm(atoms, gram);
  const equations = {
    atomGram: await gemm(weighted, atoms, { transposeB: true }),
    correlations: await gemm(weight, weighted, { transposeB: true }),
  };
  const { rows, columns } = code.coefficients;
  const scaled = code.coefficients.data.map((value, index) => value * norms[index % columns]!);
  const fitted = await fitOnSupport({ rows, columns, data: scaled }, equations, FIT_STEPS);
  const values = toDenseWeight(fitted, 'The coefficients');
  return {
    kind: 'lowRank',
    ...{ outFeatures, inFeatures },
    left: toSparse(values.data, code.coefficients),
    right,
    sharedRight: null,
  };
}

/** In place; gives the norms that were. */
function normalizeRows({ rows, columns, data }: Matrix<Float64Array>): Float64Array {
  const norms = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const values = data.subarray(row * columns, (row + 1) * columns);
    norms[row] = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
    if (norms[row]! > 0) for (let index = 0; index < columns; index++) values[index]! /= norms[row]!;
  }
  return norms;
}

function toSparse(values: Float32Array, support: Matrix<Float64Array>): SparseWeight {
  const { rows, columns, data } = support;
  return {
    kind: 'sparse',
    ...{ outFeatures: rows, inFeatures: columns },
    mask: Uint8Array.from(data, value => Number(value !== 0)),
    values: values.filter((_, index) => data[index] !== 0),
  };
}
