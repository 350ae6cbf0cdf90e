import { gemm, invertPositiveDefinite, type Matrix } from '@quern/linalg';
import type { SparseCode } from './sparseCode.ts';

/** Keeps atoms that depend on each other in reach of float64. */
const RIDGE = 1e-6;

/**
 * The atoms that fit given coefficients, argmin over D of ||Y - C D||_F^2 + ridge, with rows of norm 1: the norms go to the
 * coefficients, so that C D is what least squares gave. Atoms that no output uses stay as they were.
 *
 * `ridge` is relative to the mean of the diagonal of C^T C.
 * Source: MOD (Engan et al. 1999), with the ridge of ROCKET, arXiv:2602.11008.
 * Cost: outFeatures atomCount (atomCount + inFeatures) + atomCount^2 inFeatures multiply-adds and an inverse.
 */
export async function fitAtoms(
  target: Matrix<Float64Array>,
  code: SparseCode,
  ridge: number = RIDGE,
): Promise<SparseCode> {
  const { coefficients, atoms } = code;
  const { rows, columns } = coefficients;
  const gram = await gemm(coefficients, coefficients, { transposeA: true });
  let trace = 0;
  for (let atom = 0; atom < columns; atom++) trace += gram.data[atom * (columns + 1)]!;
  if (trace === 0) return code;
  const used = Uint8Array.from({ length: columns }, (_, atom) => Number(gram.data[atom * (columns + 1)]! > 0));
  for (let atom = 0; atom < columns; atom++) gram.data[atom * (columns + 1)]! += (ridge * trace) / columns;
  const inverse = await invertPositiveDefinite(gram);
  if (inverse.matrix === null) return code;
  const fitted = await gemm(inverse.matrix, await gemm(coefficients, target, { transposeA: true }));
  const turned = { rows, columns, data: coefficients.data.slice() };
  for (let atom = 0; atom < columns; atom++) {
    const values = fitted.data.subarray(atom * fitted.columns, (atom + 1) * fitted.columns);
    const norm = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
    if (used[atom] === 0 || norm === 0) {
      values.set(atoms.data.subarray(atom * fitted.columns, (atom + 1) * fitted.columns));
      continue;
    }
    for (let index = 0; index < values.length; index++) values[index]! /= norm;
    for (let index = atom; index < turned.data.length; index += columns) turned.data[index]! *= norm;
  }
  return { coefficients: turned, atoms: fitted };
}
