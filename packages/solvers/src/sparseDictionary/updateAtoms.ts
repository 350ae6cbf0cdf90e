import { gemm, type Matrix } from '@quern/linalg';
import type { SparseCode } from './sparseCode.ts';

const POWER_ITERATIONS = 8;

/**
 * K-SVD: every atom in turn, with the coefficients of the outputs that use it, becomes the leading singular pair of what the other
 * atoms leave of those outputs. The support stays; so do atoms that no output uses.
 *
 * Objective: ||Y - C D||_F, which never rises. Source: Aharon, Elad and Bruckstein 2006, with the eight power iterations of CoSpaDi,
 * arXiv:2509.22075, begun at the present atom.
 * Cost: a product of outFeatures inFeatures atomCount multiply-adds, and 18 inFeatures for each nonzero. Float64.
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
  for (let atom = 0; atom < atomCount; atom++) {
    const users: number[] = [];
    for (let row = 0; row < rows; row++) if (coefficients.data[row * atomCount + atom] !== 0) users.push(row);
    const values = Float64Array.from(users, row => coefficients.data[row * atomCount + atom]!);
    const old = atoms.data.slice(atom * atoms.columns, (atom + 1) * atoms.columns);
    const pair = leadingPair({ residual, users, values, atom: old });
    if (pair === null) continue;
    for (const [index, row] of users.entries()) {
      const line = residual.data.subarray(row * atoms.columns, (row + 1) * atoms.columns);
      for (let column = 0; column < line.length; column++) {
        line[column]! += values[index]! * old[column]! - pair.values[index]! * pair.atom[column]!;
      }
      coefficients.data[row * atomCount + atom] = pair.values[index]!;
    }
    atoms.data.set(pair.atom, atom * atoms.columns);
  }
  return { coefficients, atoms };
}

/** E = residual[users] + values atom^T, which is never formed. */
interface Remainder {
  readonly residual: Matrix<Float64Array>;
  readonly users: readonly number[];
  readonly values: Float64Array;
  readonly atom: Float64Array;
}

/** A unit row d and E d, d after power iterations on E^T E; null where E is 0. */
function leadingPair(remainder: Remainder): { values: Float64Array; atom: Float64Array } | null {
  const { users, atom } = remainder;
  if (users.length === 0) return null;
  let along = atom;
  const values = new Float64Array(users.length);
  timesVector(remainder, along, values);
  for (let iteration = 0; iteration < POWER_ITERATIONS; iteration++) {
    const next = vectorTimes(remainder, values);
    const norm = Math.sqrt(dot(next, next));
    if (norm === 0) return null;
    for (let column = 0; column < next.length; column++) next[column]! /= norm;
    along = next;
    timesVector(remainder, along, values);
  }
  return { values, atom: along };
}

/** E d. */
function timesVector({ residual, users, values, atom }: Remainder, along: Float64Array, product: Float64Array): void {
  const overlap = dot(atom, along);
  const { data, columns } = residual;
  for (let index = 0; index < users.length; index++) {
    const start = users[index]! * columns;
    let sum = values[index]! * overlap;
    for (let column = 0; column < columns; column++) sum += data[start + column]! * along[column]!;
    product[index] = sum;
  }
}

/** E^T g. */
function vectorTimes({ residual, users, values, atom }: Remainder, weights: Float64Array): Float64Array {
  const overlap = dot(values, weights);
  const product = atom.map(value => overlap * value);
  const { data, columns } = residual;
  for (let index = 0; index < users.length; index++) {
    const start = users[index]! * columns;
    const weight = weights[index]!;
    for (let column = 0; column < columns; column++) product[column]! += weight * data[start + column]!;
  }
  return product;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let index = 0; index < a.length; index++) sum += a[index]! * b[index]!;
  return sum;
}
