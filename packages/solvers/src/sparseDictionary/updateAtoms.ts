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
    const norm = Math.sqrt(dot(next, next, 0));
    if (norm === 0) return null;
    for (let column = 0; column < next.length; column++) next[column]! /= norm;
    along = next;
    timesVector(remainder, along, values);
  }
  return { values, atom: along };
}

/** E d. */
function timesVector({ residual, users, values, atom }: Remainder, along: Float64Array, product: Float64Array): void {
  const overlap = dot(atom, along, 0);
  const { data, columns } = residual;
  for (let index = 0; index < users.length; index++) {
    product[index] = values[index]! * overlap + dot(along, data, users[index]! * columns);
  }
}

/** E^T g, four rows of E at a time. */
function vectorTimes({ residual, users, values, atom }: Remainder, weights: Float64Array): Float64Array {
  const overlap = dot(values, weights, 0);
  const product = new Float64Array(atom.length);
  for (let column = 0; column < product.length; column++) product[column] = overlap * atom[column]!;
  const { data, columns } = residual;
  const whole = users.length & ~3;
  for (let index = 0; index < whole; index += 4) {
    const a = users[index]! * columns;
    const b = users[index + 1]! * columns;
    const c = users[index + 2]! * columns;
    const d = users[index + 3]! * columns;
    const [wa, wb, wc, wd] = [weights[index]!, weights[index + 1]!, weights[index + 2]!, weights[index + 3]!];
    for (let column = 0; column < columns; column++) {
      product[column]! +=
        wa * data[a + column]! + wb * data[b + column]! + (wc * data[c + column]! + wd * data[d + column]!);
    }
  }
  for (let index = whole; index < users.length; index++) {
    const start = users[index]! * columns;
    const weight = weights[index]!;
    for (let column = 0; column < columns; column++) product[column]! += weight * data[start + column]!;
  }
  return product;
}

/** a b[start ..], in four sums that do not wait for each other. */
function dot(a: Float64Array, b: Float64Array, start: number): number {
  const whole = a.length & ~3;
  let [first, second, third, fourth] = [0, 0, 0, 0];
  for (let index = 0; index < whole; index += 4) {
    first += a[index]! * b[start + index]!;
    second += a[index + 1]! * b[start + index + 1]!;
    third += a[index + 2]! * b[start + index + 2]!;
    fourth += a[index + 3]! * b[start + index + 3]!;
  }
  for (let index = whole; index < a.length; index++) first += a[index]! * b[start + index]!;
  return first + second + (third + fourth);
}
