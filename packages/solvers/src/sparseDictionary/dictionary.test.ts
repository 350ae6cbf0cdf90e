import { reconstruct } from '@quern/core';
import { gemm, type Matrix, symmetricEigen } from '@quern/linalg';
import { Matrix as NaiveMatrix, SVD } from 'ml-matrix';
import { describe, expect, it } from 'vitest';
import { relativeOutputError } from '../relativeOutputError.ts';
import { randomActivations, randomWeight, statisticsOf } from '../testData.ts';
import { compot } from './compot.ts';
import { cospadi } from './cospadi.ts';
import { dictionary } from './dictionary.ts';
import { dictionarySize } from './dictionarySize.ts';
import { fitAtoms } from './fitAtoms.ts';
import { fitOnSupport } from './fitOnSupport.ts';
import { keepLargest } from './keepLargest.ts';
import { keepLargestOfRows } from './keepLargestOfRows.ts';
import { largestMagnitude } from './largestMagnitude.ts';
import { learnByImportance } from './learnByImportance.ts';
import { learnByPursuit } from './learnByPursuit.ts';
import { learnDictionary } from './learnDictionary.ts';
import { learnOrthonormal } from './learnOrthonormal.ts';
import { normalEquations } from './normalEquations.ts';
import { pursueOrthogonally } from './pursueOrthogonally.ts';
import { rocket } from './rocket.ts';
import { sampleAtoms } from './sampleAtoms.ts';
import type { SparseCode } from './sparseCode.ts';
import { updateAtoms } from './updateAtoms.ts';

const wide = (rows: number, columns: number, seed: number): Matrix<Float64Array> => {
  const { data } = randomWeight(rows, columns, seed);
  return { rows, columns, data: Float64Array.from(data) };
};

async function squaredDistance(target: Matrix<Float64Array>, c: Matrix<Float64Array>, d: Matrix<Float64Array>) {
  const product = await gemm(c, d);
  return target.data.reduce((sum, value, index) => sum + (value - product.data[index]!) ** 2, 0);
}

describe('dictionarySize', () => {
  it('spends the budget on atoms, mask and nonzeros, whatever their relation', () => {
    for (const [outFeatures, inFeatures] of [
      [384, 128],
      [128, 384],
      [33, 65],
    ] as const) {
      for (const rho of [1.2, 2, 4]) {
        const { atomCount, nonzeroCount } = dictionarySize({ outFeatures, inFeatures }, 0.3, rho);
        const mask = 16 * Math.ceil((outFeatures * atomCount) / 16);
        const bits = 16 * inFeatures * atomCount + mask + 16 * nonzeroCount;
        expect(bits).toBe(16 * Math.floor(0.7 * outFeatures * inFeatures));
      }
    }
  });

  it('keeps the number of atoms per nonzero where nothing bounds it', () => {
    const { atomCount, nonzeroCount } = dictionarySize({ outFeatures: 512, inFeatures: 512 }, 0.2, 2);
    expect(nonzeroCount / 512 / atomCount).toBeCloseTo(0.5, 1);
    // 0.8 16 512 512 / (16 512 + 512 + 8 512)
    expect(atomCount).toBe(262);
  });

  it('refuses what one atom does not meet', () => {
    expect(() => dictionarySize({ outFeatures: 4, inFeatures: 4 }, 0.9, 2)).toThrow(/ratio/);
  });
});

describe('thresholds', () => {
  it.each([1, 2, 3, 5, 7, 17, 31, 33, 1000])('finds every largest magnitude of %i values like a sort', count => {
    // Few different values, so that many are equal.
    const values = wide(1, count, 3).data.map(value => Math.round(4 * value));
    const sorted = [...values].map(Math.abs).sort((a, b) => b - a);
    for (let place = 1; place <= count; place += 1 + Math.floor(count / 40)) {
      expect(largestMagnitude(values, place)).toBe(sorted[place - 1]);
    }
  });

  it('keeps the first of equal values', () => {
    const values = Float64Array.of(1, -2, 2, 1, -1);
    keepLargest(values, 3);
    expect([...values]).toEqual([1, -2, 2, 0, 0]);
  });

  it('keeps as many in every row, and gives the odd ones to the rows with most to lose', () => {
    const matrix = { rows: 2, columns: 3, data: Float64Array.of(1, 2, 3, 9, 8, 7) };
    keepLargestOfRows(matrix, 3);
    expect([...matrix.data]).toEqual([0, 0, 3, 9, 8, 0]);
  });
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

describe('K-SVD', () => {
  it('never raises the objective, keeps the support, unit atoms and atoms that none uses', async () => {
    const target = wide(30, 14, 31);
    const atoms = sampleAtoms(wide(18, 14, 32), 18, 1);
    const coefficients = wide(30, 18, 33);
    keepLargestOfRows(coefficients, 30 * 4);
    for (let row = 0; row < 30; row++) coefficients.data[row * 18 + 5] = 0;
    let code: SparseCode = { coefficients, atoms };
    let before = await squaredDistance(target, coefficients, atoms);
    for (let sweep = 0; sweep < 4; sweep++) {
      code = await updateAtoms(target, code);
      const after = await squaredDistance(target, code.coefficients, code.atoms);
      expect(after).toBeLessThan(before);
      before = after;
    }
    for (const [index, value] of code.coefficients.data.entries())
      expect(value !== 0).toBe(coefficients.data[index] !== 0);
    expect([...code.atoms.data.slice(70, 84)]).toEqual([...atoms.data.slice(70, 84)]);
    for (let atom = 0; atom < 18; atom++)
      expect(Math.hypot(...code.atoms.data.slice(atom * 14, atom * 14 + 14))).toBeCloseTo(1, 12);
  });

  it('updates one atom to the leading singular pair', async () => {
    const target = wide(8, 6, 34);
    const coefficients = { rows: 8, columns: 1, data: new Float64Array(8).fill(1) };
    let code: SparseCode = { coefficients, atoms: sampleAtoms(target, 1, 1) };
    for (let sweep = 0; sweep < 30; sweep++) code = await updateAtoms(target, code);
    const [largest, ...others] = new SVD(NaiveMatrix.from1DArray(8, 6, [...target.data])).diagonal;
    const left = others.reduce((sum, value) => sum + value * value, 0);
    expect(await squaredDistance(target, code.coefficients, code.atoms)).toBeCloseTo(left, 8);
    expect(Math.hypot(...code.coefficients.data)).toBeCloseTo(largest!, 8);
  });
});

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
    expect(objectives[0]).toBeCloseTo(after / energy, 10);
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

describe('learning', () => {
  it('finds a planted dictionary with more atoms than inputs, by pursuit and K-SVD', async () => {
    const planted = sampleAtoms(wide(30, 20, 41), 30, 1);
    const coefficients = wide(1500, 30, 42);
    keepLargestOfRows(coefficients, 1500 * 3);
    const target = await gemm(coefficients, planted);
    const { objectives, atoms } = await learnByPursuit(
      target,
      { atomCount: 30, nonzeroCount: 4500 },
      { sweeps: 40, seed: 3 },
    );
    expect(objectives.at(-1)).toBeLessThan(0.06);
    const overlaps = await gemm(planted, atoms, { transposeB: true });
    let found = 0;
    for (let atom = 0; atom < 30; atom++) {
      const best = Math.max(...overlaps.data.subarray(atom * 30, atom * 30 + 30).map(Math.abs));
      if (best > 0.99) found++;
    }
    // Atoms that started as neighbours of one planted atom share it to the end: K-SVD has no way out of that.
    expect(found).toBeGreaterThanOrEqual(24);
    for (let sweep = 1; sweep < objectives.length; sweep++)
      expect(objectives[sweep]).toBeLessThanOrEqual(objectives[sweep - 1]!);
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

  it('free atoms: from there on down, with as many nonzeros', async () => {
    const target = wide(40, 24, 8);
    const { objectives: orthonormal } = await learnOrthonormal(target, size, 20);
    const { objectives, coefficients, atoms } = await learnDictionary(target, size, 20);
    const energy = target.data.reduce((sum, value) => sum + value * value, 0);
    expect((await squaredDistance(target, coefficients, atoms)) / energy).toBeCloseTo(objectives.at(-1)!, 8);
    expect(objectives.at(-1)).toBeLessThan(orthonormal.at(-1)!);
    expect(coefficients.data.filter(value => value !== 0).length).toBeLessThanOrEqual(size.nonzeroCount);
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

describe.each([
  ['compot', compot],
  ['cospadi', cospadi],
  ['rocket', rocket],
  ['dictionary', dictionary],
] as const)('%s', (_, solve) => {
  it('survives a Gram of low rank, dead inputs and zero rows', async () => {
    const weight = randomWeight(20, 24, 11);
    weight.data.fill(0, 24, 48);
    const activations = randomActivations(9, 24, 12);
    for (let token = 0; token < 9; token++) activations.data[token * 24 + 5] = 0;
    const statistics = statisticsOf(activations);
    const result = await solve(weight, statistics, { ratio: 0.3 });
    const error = await relativeOutputError(weight, await reconstruct(result), statistics.inputGram);
    expect(error).toBeLessThan(0.6);
  });
});
