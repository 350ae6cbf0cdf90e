import type { Matrix } from '@quern/linalg';
import { Matrix as NaiveMatrix, SVD } from 'ml-matrix';
import { describe, expect, it } from 'vitest';
import fixture from '../generated/orthogonalPursuit.json' with { type: 'json' };
import { normalEquations } from './normalEquations.ts';
import { pursueOrthogonally } from './pursueOrthogonally.ts';
import { sampleAtoms } from './sampleAtoms.ts';
import { squaredDistance, wide } from './testCodes.ts';

/** Orthogonal matching pursuit as it is defined: least squares from scratch at every step. */
function naivePursuit(signal: Float64Array, atoms: Matrix<Float64Array>, steps: number): Float64Array {
  const dictionary = NaiveMatrix.from1DArray(atoms.rows, atoms.columns, [...atoms.data]).transpose();
  const target = NaiveMatrix.columnVector([...signal]);
  const chosen: number[] = [];
  let coefficients = NaiveMatrix.zeros(0, 1);
  for (let step = 0; step < steps; step++) {
    const fitted =
      chosen.length === 0 ? NaiveMatrix.zeros(signal.length, 1) : dictionary.subMatrixColumn(chosen).mmul(coefficients);
    const seen = dictionary.transpose().mmul(NaiveMatrix.sub(target, fitted)).to1DArray().map(Math.abs);
    for (const atom of chosen) seen[atom] = -1;
    chosen.push(seen.indexOf(Math.max(...seen)));
    coefficients = new SVD(dictionary.subMatrixColumn(chosen), { autoTranspose: true }).solve(target) as NaiveMatrix;
  }
  const result = new Float64Array(atoms.rows);
  for (const [index, atom] of chosen.entries()) result[atom] = coefficients.get(index, 0);
  return result;
}

const norm = (values: readonly number[]): number => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));

function matrixOf(rows: readonly (readonly number[])[]): Matrix<Float64Array> {
  return { rows: rows.length, columns: rows[0]!.length, data: Float64Array.from(rows.flat()) };
}

const rowOf = ({ columns, data }: Matrix<Float64Array>, row: number): number[] => [
  ...data.subarray(row * columns, (row + 1) * columns),
];

describe('orthogonal matching pursuit', () => {
  it.each([
    [16, 9, 4],
    [12, 31, 7],
    [40, 40, 1],
    [9, 9, 9],
  ])('%i inputs, %i atoms, %i steps: what the definition gives', async (inputs, atomCount, steps) => {
    const atoms = sampleAtoms(wide(atomCount, inputs, 21), atomCount, 1);
    const target = wide(13, inputs, 22);
    const coefficients = pursueOrthogonally(await normalEquations(target, atoms), 13 * steps);
    for (let row = 0; row < 13; row++) {
      const expected = naivePursuit(target.data.subarray(row * inputs, (row + 1) * inputs), atoms, steps);
      for (let atom = 0; atom < atomCount; atom++) {
        expect(coefficients.data[row * atomCount + atom]).toBeCloseTo(expected[atom]!, 8);
      }
    }
  });

  // By tools/fixtures/orthogonalPursuit.py, from whole numbers.
  it.each(fixture.cases)('chooses what scikit-learn chooses, with its values: $name', async case_ => {
    const { nonzeros, supports } = case_;
    const atoms = matrixOf(case_.atoms.map(atom => atom.map(value => value / norm(atom))));
    let coherence = 0;
    for (let row = 0; row < atoms.rows; row++) {
      const values = rowOf(atoms, row);
      expect(Math.abs(norm(values) - 1)).toBeLessThan(1e-14);
      for (let other = 0; other < row; other++) {
        const overlap = values.reduce((sum, value, index) => sum + value * rowOf(atoms, other)[index]!, 0);
        coherence = Math.max(coherence, Math.abs(overlap));
      }
    }
    expect(coherence).toBeCloseTo(case_.coherence, 3);
    const target = matrixOf(case_.signals);
    const coefficients = pursueOrthogonally(await normalEquations(target, atoms), target.rows * nonzeros);
    for (const [row, support] of supports.entries()) {
      const values = rowOf(coefficients, row);
      expect([...values.keys()].filter(atom => values[atom] !== 0)).toEqual(support);
      const expected = case_.coefficients[row]!;
      const most = Math.max(...expected.map(Math.abs));
      for (const [index, atom] of support.entries()) {
        expect(Math.abs(values[atom]! - expected[index]!) / most).toBeLessThan(1e-10);
      }
    }
  });

  it('gives the odd nonzeros to the outputs that they help most', async () => {
    const atoms = sampleAtoms(wide(20, 12, 23), 20, 1);
    const target = wide(10, 12, 24);
    const equations = await normalEquations(target, atoms);
    const counts = (matrix: Matrix<Float64Array>): number[] =>
      Array.from(
        { length: 10 },
        (_, row) => matrix.data.subarray(row * 20, row * 20 + 20).filter(value => value !== 0).length,
      );
    const chosen = pursueOrthogonally(equations, 34);
    expect(counts(chosen).toSorted()).toEqual([3, 3, 3, 3, 3, 3, 4, 4, 4, 4]);
    const distances = (matrix: Matrix<Float64Array>) =>
      Promise.all(
        Array.from({ length: 10 }, (_, row) =>
          squaredDistance(
            { rows: 1, columns: 12, data: target.data.subarray(row * 12, row * 12 + 12) },
            { rows: 1, columns: 20, data: matrix.data.slice(row * 20, row * 20 + 20) },
            atoms,
          ),
        ),
      );
    const three = await distances(pursueOrthogonally(equations, 30));
    const four = await distances(pursueOrthogonally(equations, 40));
    const gains = three.map((value, row) => value - four[row]!);
    const least = Math.min(...gains.filter((_, row) => counts(chosen)[row] === 4));
    for (const [row, gain] of gains.entries()) if (counts(chosen)[row] === 3) expect(gain).toBeLessThanOrEqual(least);
  });

  it('passes over atoms that depend on others, and stops where nothing is left', async () => {
    const { data } = sampleAtoms(wide(3, 5, 25), 3, 1);
    const atoms = { rows: 6, columns: 5, data: Float64Array.of(...data, ...data) };
    const target = { rows: 2, columns: 5, data: Float64Array.of(...wide(1, 5, 26).data, 0, 0, 0, 0, 0) };
    const { data: coefficients } = pursueOrthogonally(await normalEquations(target, atoms), 12);
    expect([...coefficients.subarray(0, 6)].filter(value => value !== 0).length).toBe(3);
    expect([...coefficients.subarray(6)]).toEqual([0, 0, 0, 0, 0, 0]);
  });
});
