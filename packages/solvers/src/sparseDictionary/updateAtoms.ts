import { createAtomUpdate, gemm, type Matrix } from '@quern/linalg';
import type { SparseCode } from './sparseCode.ts';

const POWER_ITERATIONS = 8;

/**
 * K-SVD: every atom in turn, with the coefficients of the outputs that use it, becomes the leading singular pair of what the other
 * atoms leave of those outputs. The support stays; so do atoms that no output uses.
 *
 * Objective: ||Y - C D||_F, which never rises. Source: Aharon, Elad and Bruckstein 2006, with the eight power iterations of CoSpaDi,
 * arXiv:2509.22075, begun at the present atom.
 * Cost: a product of outFeatures inFeatures atomCount multiply-adds, and 20 inFeatures for each nonzero; twice the target in memory. Float64.
 */
export async function updateAtoms(target: Matrix<Float64Array>, code: SparseCode): Promise<SparseCode> {
  const residual = await gemm(code.coefficients, code.atoms, {
    alpha: -1,
    beta: 1,
    output: { ...target, data: target.data.slice() },
  });
  const { rows, columns: atomCount } = code.coefficients;
  const coefficients = { rows, columns: atomCount, data: code.coefficients.data.slice() };
  const atoms = { ...code.atoms, data: code.atoms.data.slice() };
  const { users, values, atom, update } = createAtomUpdate(residual);
  for (let index = 0; index < atomCount; index++) {
    let count = 0;
    for (let row = 0; row < rows; row++) {
      const value = coefficients.data[row * atomCount + index]!;
      if (value === 0) continue;
      users[count] = row;
      values[count++] = value;
    }
    atom.set(atoms.data.subarray(index * atoms.columns, (index + 1) * atoms.columns));
    if (count === 0 || !update(count, POWER_ITERATIONS)) continue;
    for (let user = 0; user < count; user++) coefficients.data[users[user]! * atomCount + index] = values[user]!;
    atoms.data.set(atom, index * atoms.columns);
  }
  return { coefficients, atoms };
}
