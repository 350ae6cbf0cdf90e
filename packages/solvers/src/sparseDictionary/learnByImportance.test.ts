import { gemm, type Matrix, symmetricEigen } from '@quern/linalg';
import { describe, expect, it } from 'vitest';
import { learnByImportance } from './learnByImportance.ts';
import { squaredDistance, wide } from './testCodes.ts';

describe('importance', () => {
  const whitening = {
    apply: async (matrix: Matrix<Float64Array>) => matrix,
    undo: async (matrix: Matrix<Float64Array>) => matrix,
  };

  it('keeps the largest coordinates, all but half a percent of them output by output, and fits the atoms to them', async () => {
    const target = wide(50, 30, 51);
    const size = { atomCount: 20, nonzeroCount: 50 * 8 };
    const { coefficients, atoms, objectives } = await learnByImportance(target, size, whitening);
    const counts = Array.from(
      { length: 50 },
      (_, row) => coefficients.data.subarray(row * 20, row * 20 + 20).filter(value => value !== 0).length,
    );
    // 2 of 400 stand wherever they matter most; they were taken from the outputs whose eighth matters least.
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(400);
    expect(counts.filter(count => count === 8).length).toBeGreaterThanOrEqual(46);
    const { vectors } = await symmetricEigen(await gemm(target, target, { transposeA: true }));
    const directions = { rows: 20, columns: 30, data: vectors.data.slice(0, 600) };
    const coordinates = await gemm(target, directions, { transposeB: true });
    const support = coordinates.data.map((value, index) => (coefficients.data[index] === 0 ? 0 : value));
    for (let row = 0; row < 50; row++) {
      const kept = [...coordinates.data.subarray(row * 20, row * 20 + 20)].filter(
        (_, atom) => support[row * 20 + atom] !== 0,
      );
      const dropped = [...coordinates.data.subarray(row * 20, row * 20 + 20)].filter(
        (_, atom) => support[row * 20 + atom] === 0,
      );
      expect(Math.min(...kept.map(Math.abs))).toBeGreaterThanOrEqual(Math.max(...dropped.map(Math.abs)));
    }
    const energy = target.data.reduce((sum, value) => sum + value * value, 0);
    const before = await squaredDistance(target, { rows: 50, columns: 20, data: support }, directions);
    const after = await squaredDistance(target, coefficients, atoms);
    expect(after).toBeLessThan(before);
    expect(objectives).toHaveLength(2);
    expect(objectives[0]).toBeCloseTo(before / energy, 10);
    expect(objectives[1]).toBeCloseTo(after / energy, 10);
  });

  it('counts atoms by what they weigh without whitening', async () => {
    // Two directions of equal coordinates; the second is sixteen times as long without whitening, so its coefficients stay.
    const target = { rows: 4, columns: 2, data: Float64Array.of(1, 0.9, 1, -0.9, 1, 0.9, 1, -0.9) };
    const stretched = {
      ...whitening,
      undo: async ({ rows, columns, data }: Matrix<Float64Array>) => ({
        ...{ rows, columns },
        data: data.map((value, index) => (index % 2 === 1 ? 16 * value : value)),
      }),
    };
    const supports = async (metric: typeof whitening) => {
      const { coefficients } = await learnByImportance(target, { atomCount: 2, nonzeroCount: 4 }, metric);
      return [0, 1].map(atom => coefficients.data.filter((value, index) => index % 2 === atom && value !== 0).length);
    };
    expect(await supports(whitening)).toEqual([4, 0]);
    expect(await supports(stretched)).toEqual([0, 4]);
  });
});
