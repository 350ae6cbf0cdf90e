import { gemm, type Matrix } from '@quern/linalg';
import { inverse, Matrix as NaiveMatrix } from 'ml-matrix';
import { describe, expect, it } from 'vitest';
import { fitAtoms } from './fitAtoms.ts';
import { fitOnSupport } from './fitOnSupport.ts';
import { keepLargest } from './keepLargest.ts';
import { keepLargestOfRows } from './keepLargestOfRows.ts';
import { moveCoefficients } from './moveCoefficients.ts';
import { sampleAtoms } from './sampleAtoms.ts';
import { squaredDistance, wide } from './testCodes.ts';

const moveTo = (count: number) => ({
  proximity: 0.5,
  threshold: ({ data }: Matrix<Float64Array>) => keepLargest(data, count),
});

describe('steps', () => {
  it('least squares on the support leave a residual orthogonal to the atoms in use', async () => {
    const target = wide(6, 12, 1);
    const atoms = wide(9, 12, 2);
    const start = wide(6, 9, 3);
    keepLargestOfRows(start, 6 * 4);
    const atomGram = await gemm(atoms, atoms, { transposeB: true });
    const correlations = await gemm(target, atoms, { transposeB: true });
    const fitted = await fitOnSupport(start, { atomGram, correlations }, 40);
    const product = await gemm(fitted, atoms);
    const residual = { ...target, data: target.data.map((value, index) => value - product.data[index]!) };
    const seen = await gemm(residual, atoms, { transposeB: true });
    for (const [index, value] of start.data.entries()) {
      if (value === 0) expect(fitted.data[index]).toBe(0);
      else expect(Math.abs(seen.data[index]!)).toBeLessThan(1e-9);
    }
    const before = await squaredDistance(target, start, atoms);
    expect(await squaredDistance(target, fitted, atoms)).toBeLessThan(before);
  });

  it.each([1, 30])(
    'a step of all coefficients without a threshold never raises the objective, at %i times the size',
    async scale => {
      const target = wide(30, 14, 61);
      for (let index = 0; index < target.data.length; index++) target.data[index]! *= scale;
      const atoms = sampleAtoms(wide(18, 14, 62), 18, 1);
      let coefficients = wide(30, 18, 63);
      let before = await squaredDistance(target, coefficients, atoms);
      for (let step = 0; step < 5; step++) {
        coefficients = await moveCoefficients(target, { coefficients, atoms }, moveTo(30 * 18));
        const after = await squaredDistance(target, coefficients, atoms);
        expect(after).toBeLessThanOrEqual(before * (1 + 1e-12));
        before = after;
      }
    },
  );

  it('a step ends where the naive proximal point, gone twice as far, is cut', async () => {
    const target = wide(5, 7, 64);
    const atoms = sampleAtoms(wide(4, 7, 65), 4, 1);
    const coefficients = wide(5, 4, 66);
    const naive = (matrix: Matrix<Float64Array>) =>
      NaiveMatrix.from1DArray(matrix.rows, matrix.columns, [...matrix.data]);
    const dictionary = naive(atoms);
    const shifted = dictionary.mmul(dictionary.transpose()).add(NaiveMatrix.eye(4, 4).mul(0.5));
    const pulled = naive(target).mmul(dictionary.transpose()).add(naive(coefficients).mul(0.5));
    const proximal = pulled.mmul(inverse(shifted));
    const expected = proximal.mul(2).sub(naive(coefficients)).to1DArray();
    const limit = expected.map(Math.abs).sort((a, b) => b - a)[8]!;
    const moved = await moveCoefficients(target, { coefficients, atoms }, moveTo(9));
    for (const [index, value] of expected.entries())
      expect(moved.data[index]).toBeCloseTo(Math.abs(value) >= limit ? value : 0, 10);
  });

  it('the atoms of least squares are never worse, of norm 1, and unused ones stay', async () => {
    const target = wide(20, 8, 4);
    const coefficients = wide(20, 5, 5);
    for (let row = 0; row < 20; row++) coefficients.data[row * 5 + 3] = 0;
    const atoms = wide(5, 8, 6);
    const fitted = await fitAtoms(target, { coefficients, atoms });
    expect(await squaredDistance(target, fitted.coefficients, fitted.atoms)).toBeLessThan(
      await squaredDistance(target, coefficients, atoms),
    );
    expect(fitted.atoms.data.slice(24, 32)).toEqual(atoms.data.slice(24, 32));
    for (const atom of [0, 1, 2, 4]) {
      const row = fitted.atoms.data.slice(atom * 8, atom * 8 + 8);
      expect(Math.hypot(...row)).toBeCloseTo(1, 12);
    }
  });
});
