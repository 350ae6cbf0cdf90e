import { gemm, type Matrix } from '@quern/linalg';
import { describe, expect, it } from 'vitest';
import { keepLargestOfRows } from './keepLargestOfRows.ts';
import { leadingDirections } from './leadingDirections.ts';
import { learnByPursuit } from './learnByPursuit.ts';
import { LEARNING, learnDictionary } from './learnDictionary.ts';
import { learnOrthonormal } from './learnOrthonormal.ts';
import { sampleAtoms } from './sampleAtoms.ts';
import { squaredDistance, wide } from './testCodes.ts';

const narrow = ({ rows, columns, data }: Matrix<Float64Array>): Matrix<Float32Array> => ({
  ...{ rows, columns },
  data: Float32Array.from(data),
});

describe('learning', () => {
  it('finds a planted dictionary with more atoms than inputs, by pursuit and K-SVD', async () => {
    const planted = sampleAtoms(wide(30, 20, 41), 30, 1);
    const coefficients = wide(1500, 30, 42);
    keepLargestOfRows(coefficients, 1500 * 3);
    const target = await gemm(coefficients, planted);
    const {
      objectives,
      atoms,
      coefficients: coefficientsFound,
    } = await learnByPursuit(target, { atomCount: 30, nonzeroCount: 4500 }, { sweeps: 40, seed: 3 });
    expect(objectives.at(-1)).toBeLessThan(0.06);
    const overlaps = await gemm(planted, atoms, { transposeB: true });
    let found = 0;
    for (let atom = 0; atom < 30; atom++) {
      const best = Math.max(...overlaps.data.subarray(atom * 30, atom * 30 + 30).map(Math.abs));
      if (best > 0.99) found++;
    }
    // Atoms that started as neighbours of one planted atom share it to the end: K-SVD has no way out of that.
    expect(found).toBeGreaterThanOrEqual(24);
    const energy = target.data.reduce((sum, value) => sum + value * value, 0);
    const left = (await squaredDistance(target, coefficientsFound, atoms)) / energy;
    expect(left).toBeCloseTo(Math.min(...objectives), 10);
  });

  const size = { atomCount: 12, nonzeroCount: 40 * 3 };

  it('orthonormal atoms: the objective is that of the product, and never rises', async () => {
    const target = wide(40, 24, 7);
    const { objectives, coefficients, atoms } = await learnOrthonormal(target, size, 15);
    const energy = target.data.reduce((sum, value) => sum + value * value, 0);
    expect((await squaredDistance(target, coefficients, atoms)) / energy).toBeCloseTo(objectives.at(-1)!, 10);
    for (let sweep = 1; sweep < objectives.length; sweep++) {
      expect(objectives[sweep]).toBeLessThanOrEqual(objectives[sweep - 1]! + 1e-12);
    }
    expect(objectives.at(-1)).toBeLessThan(objectives[0]!);
  });

  it('free atoms leave less with as many nonzeros', async () => {
    const target = wide(40, 24, 8);
    const { objectives: orthonormal } = await learnOrthonormal(target, size, 20);
    const problem = { target: narrow(target), directions: narrow(await leadingDirections(target, 12)) };
    const { objectives, coefficients, atoms } = await learnDictionary(problem, size, 20);
    const energy = target.data.reduce((sum, value) => sum + value * value, 0);
    expect((await squaredDistance(target, coefficients, atoms)) / energy).toBeCloseTo(objectives.at(-1)!, 5);
    expect(objectives.at(-1)).toBeLessThan(orthonormal.at(-1)!);
    expect(coefficients.data.filter(value => value !== 0).length).toBeLessThanOrEqual(size.nonzeroCount);
  });

  it('nonzeros stand where they help most, which leaves less than as many for every output', async () => {
    const target = wide(40, 24, 8);
    // Outputs that differ in how much there is of them.
    for (let index = 0; index < target.data.length; index++) target.data[index]! *= 1 + Math.floor(index / 24) / 10;
    const problem = { target: narrow(target), directions: narrow(await leadingDirections(target, 12)) };
    const anywhere = await learnDictionary(problem, size, 20);
    const byOutput = await learnDictionary(problem, size, 20, { ...LEARNING, placement: 'output' });
    const counts = (values: Float64Array): number[] =>
      Array.from(
        { length: 40 },
        (_, row) => values.subarray(12 * row, 12 * (row + 1)).filter(value => value !== 0).length,
      );
    expect(counts(byOutput.coefficients.data)).toEqual(new Array(40).fill(3));
    expect(Math.max(...counts(anywhere.coefficients.data))).toBeGreaterThan(3);
    expect(anywhere.objectives.at(-1)).toBeLessThan(byOutput.objectives.at(-1)!);
  });

  it('finds planted atoms that lean on each other, every one', async () => {
    const planted = sampleAtoms(wide(12, 24, 71), 12, 1);
    const coefficients = wide(1500, 12, 72);
    keepLargestOfRows(coefficients, 1500 * 3);
    const target = await gemm(coefficients, planted);
    const problem = { target: narrow(target), directions: narrow(await leadingDirections(target, 12)) };
    const { atoms, objectives } = await learnDictionary(problem, { atomCount: 12, nonzeroCount: 4500 }, 80);
    expect(objectives[0]).toBeGreaterThan(0.2);
    expect(objectives.at(-1)).toBeLessThan(1e-3);
    const overlaps = await gemm(planted, atoms, { transposeB: true });
    for (let atom = 0; atom < 12; atom++) {
      expect(Math.max(...overlaps.data.subarray(atom * 12, atom * 12 + 12).map(Math.abs))).toBeGreaterThan(0.99);
    }
  });

  it('stays at nothing for a target of zeros', async () => {
    const target = { rows: 6, columns: 4, data: new Float32Array(24) };
    const directions = { rows: 2, columns: 4, data: Float32Array.of(1, 0, 0, 0, 0, 1, 0, 0) };
    const { objectives, coefficients } = await learnDictionary(
      { target, directions },
      { atomCount: 2, nonzeroCount: 6 },
      5,
    );
    expect(objectives).toEqual([0]);
    expect(coefficients.data.every(value => value === 0)).toBe(true);
  });

  it('finds a planted orthonormal dictionary', async () => {
    const { atoms } = await learnOrthonormal(wide(60, 16, 9), { atomCount: 16, nonzeroCount: 60 }, 1);
    const planted = wide(400, 16, 10);
    keepLargestOfRows(planted, 400 * 2);
    const target = await gemm(planted, atoms);
    const { objectives } = await learnOrthonormal(target, { atomCount: 16, nonzeroCount: 800 }, 60);
    expect(objectives.at(-1)).toBeLessThan(0.02);
    expect(objectives[0]).toBeGreaterThan(0.1);
  });
});
