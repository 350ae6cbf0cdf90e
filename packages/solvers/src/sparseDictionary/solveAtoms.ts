import { gemm, type Matrix } from '@quern/linalg';
import { shiftedInverse } from './shiftedInverse.ts';

/** What least squares for atoms needs of their coefficients, whose atoms index the rows of both. */
export interface AtomEquations<Data extends Float32Array | Float64Array> {
  /** Of the coefficients of each two atoms, `[atomCount, atomCount]`. */
  readonly gram: Matrix<Data>;
  /** Of the coefficients of each atom with the target, `[atomCount, length]`. */
  readonly products: Matrix<Data>;
}

/** Atoms of norm 1, as rows. */
export interface SolvedAtoms<Data extends Float32Array | Float64Array> {
  readonly atoms: Matrix<Data>;
  /** What the coefficients of each atom are to be multiplied by. */
  readonly norms: Float64Array;
  /** What the fit took off the target's energy, but for the ridge. */
  readonly explained: number;
}

/**
 * The atoms of the normal equations, gram atoms = products, of norm 1. Those that no coefficient uses stay as they were; null where none is used.
 *
 * `ridge` is relative to the mean of the diagonal, and ten times as much as often as rounding makes the Gram indefinite.
 * Cost: atomCount^2 length multiply-adds and an inverse of atomCount, in float64.
 */
export async function solveAtoms<Data extends Float32Array | Float64Array>(
  { gram, products }: AtomEquations<Data>,
  before: Matrix<Data>,
  ridge: number,
): Promise<SolvedAtoms<Data> | null> {
  const { rows: count, columns: length } = products;
  let trace = 0;
  for (let atom = 0; atom < count; atom++) trace += gram.data[atom * (count + 1)]!;
  if (trace <= 0) return null;
  const atoms = await gemm(await shiftedInverse(gram, (ridge * trace) / count), products);
  const norms = new Float64Array(count).fill(1);
  let explained = 0;
  for (let atom = 0; atom < count; atom++) {
    const start = atom * length;
    const values = atoms.data.subarray(start, start + length);
    let square = 0;
    for (let index = 0; index < length; index++) {
      square += values[index]! ** 2;
      explained += values[index]! * products.data[start + index]!;
    }
    if (gram.data[atom * (count + 1)] === 0 || square === 0) {
      values.set(before.data.subarray(start, start + length));
      continue;
    }
    norms[atom] = Math.sqrt(square);
    for (let index = 0; index < length; index++) values[index]! /= norms[atom]!;
  }
  return { atoms, norms, explained };
}
