import { gemm, type Matrix } from '@quern/linalg';
import { solveAtoms } from './solveAtoms.ts';
import type { SparseCode } from './sparseCode.ts';

/** Keeps atoms that depend on each other in reach of the arithmetic. */
const RIDGE = 1e-6;

/** A code with atoms that were fitted to its coefficients. */
export interface FittedCode<Data extends Float32Array | Float64Array> extends SparseCode<Data> {
  /** tr(Y^T C D): what the fit took off ||Y||_F^2, but for the ridge. */
  readonly explained: number;
}

/**
 * The atoms that fit given coefficients, argmin over D of ||Y - C D||_F^2 + ridge, with rows of norm 1: the norms go to the
 * coefficients, so that C D is what least squares gave. Atoms that no output uses stay as they were.
 *
 * `ridge` is relative to the mean of the diagonal of C^T C, and ten times as much as often as rounding makes that indefinite. Products
 * in the precision of `target`, the inverse in float64.
 * Source: MOD (Engan et al. 1999), with the ridge of ROCKET, arXiv:2602.11008.
 * Cost: outFeatures atomCount (atomCount + inFeatures) + atomCount^2 inFeatures multiply-adds and an inverse.
 */
export async function fitAtoms<Data extends Float32Array | Float64Array>(
  target: Matrix<Data>,
  code: SparseCode<Data>,
  ridge: number = RIDGE,
): Promise<FittedCode<Data>> {
  const { coefficients, atoms } = code;
  const { rows, columns } = coefficients;
  const gram = await gemm(coefficients, coefficients, { transposeA: true });
  const products = await gemm(coefficients, target, { transposeA: true });
  const solved = await solveAtoms({ gram, products }, atoms, ridge);
  if (solved === null) return { ...code, explained: 0 };
  const { norms, explained } = solved;
  const scaled = coefficients.data.slice() as Data;
  for (let start = 0; start < scaled.length; start += columns) {
    for (let atom = 0; atom < columns; atom++) scaled[start + atom]! *= norms[atom]!;
  }
  return { coefficients: { rows, columns, data: scaled }, atoms: solved.atoms, explained };
}
