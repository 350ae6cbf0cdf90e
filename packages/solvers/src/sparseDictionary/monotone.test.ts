import { gemm, type Matrix, polarFactor } from '@quern/linalg';
import { expect, it } from 'vitest';
import { keepLargestOfRows } from './keepLargestOfRows.ts';
import { leadingDirections } from './leadingDirections.ts';
import { normalEquations } from './normalEquations.ts';
import { pursueByThreshold } from './pursueByThreshold.ts';
import { sampleAtoms } from './sampleAtoms.ts';
import { squaredDistance, wide } from './testCodes.ts';

const [ROWS, INPUTS] = [12, 10];

/** ||Y - C D||^2 of each row. */
async function distances(
  target: Matrix<Float64Array>,
  coefficients: Matrix<Float64Array>,
  atoms: Matrix<Float64Array>,
): Promise<number[]> {
  const product = await gemm(coefficients, atoms);
  const squares = target.data.map((value, index) => (value - product.data[index]!) ** 2);
  return Array.from({ length: target.rows }, (_, row) =>
    squares.subarray(row * target.columns, (row + 1) * target.columns).reduce((sum, value) => sum + value, 0),
  );
}

it('threshold and Procrustes never raise the objective, step by step; the threshold is the best of all supports', async () => {
  const target = wide(ROWS, INPUTS, 51);
  let atoms = await leadingDirections(target, 6);
  let before = Number.POSITIVE_INFINITY;
  for (let sweep = 0; sweep < 6; sweep++) {
    const coordinates = await gemm(target, atoms, { transposeB: true });
    const coefficients = { ...coordinates, data: coordinates.data.slice() };
    keepLargestOfRows(coefficients, 2 * ROWS);
    const thresholded = await distances(target, coefficients, atoms);
    for (const [row, distance] of thresholded.entries()) {
      for (let first = 0; first < 6; first++) {
        for (let second = 0; second < first; second++) {
          const other = coordinates.data.map((value, index) => {
            const isKept = Math.floor(index / 6) === row && [first, second].includes(index % 6);
            return isKept ? value : 0;
          });
          const [best] = (await distances(target, { ...coordinates, data: other }, atoms)).slice(row, row + 1);
          expect(distance).toBeLessThanOrEqual(best! + 1e-12);
        }
      }
    }
    const afterThreshold = thresholded.reduce((sum, value) => sum + value, 0);
    expect(afterThreshold).toBeLessThanOrEqual(before + 1e-12);
    atoms = await polarFactor(await gemm(coefficients, target, { transposeA: true }));
    before = await squaredDistance(target, coefficients, atoms);
    expect(before).toBeLessThanOrEqual(afterThreshold + 1e-12);
  }
});

it.each([
  ['atoms that lean on each other', 16, 3],
  ['fewer atoms than inputs', 6, 2],
  ['one nonzero', 9, 1],
  ['all atoms', 8, 8],
])(
  'thresholding pursuit takes no row further away, with as many nonzeros as asked for: %s',
  async (_, atomCount, count) => {
    const target = wide(ROWS, INPUTS, 52);
    const atoms = sampleAtoms(wide(atomCount, INPUTS, 53), atomCount, 1);
    const equations = await normalEquations(target, atoms);
    const counts = new Int32Array(ROWS).fill(count);
    let coefficients: Matrix<Float64Array> = {
      rows: ROWS,
      columns: atomCount,
      data: new Float64Array(ROWS * atomCount),
    };
    let before = await distances(target, coefficients, atoms);
    for (let sweep = 0; sweep < 4; sweep++) {
      coefficients = await pursueByThreshold(coefficients, equations, counts);
      const after = await distances(target, coefficients, atoms);
      for (const [row, distance] of after.entries()) {
        expect(distance).toBeLessThanOrEqual(before[row]! + 1e-12);
        const own = coefficients.data.subarray(row * atomCount, (row + 1) * atomCount);
        expect(own.filter(value => value !== 0).length).toBeLessThanOrEqual(count);
      }
      before = after;
    }
    const energy = target.data.reduce((sum, value) => sum + value * value, 0);
    expect(before.reduce((sum, value) => sum + value, 0)).toBeLessThan(0.8 * energy);
  },
);
