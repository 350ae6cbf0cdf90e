import { maskedStorageBits, reconstruct } from '@quern/core';
import { gemm, type Matrix } from '@quern/linalg';
import { expect, it } from 'vitest';
import { toFloat64 } from '../lowRank/toFloat64.ts';
import { relativeOutputError } from '../relativeOutputError.ts';
import { diagonalStatistics, identityStatistics, randomActivations, randomWeight, statisticsOf } from '../testData.ts';
import { diagonalizeTogether } from './diagonalizeTogether.ts';
import { fitSharedAtoms } from './fitSharedAtoms.ts';
import { geopair } from './geopair.ts';
import { keepLargestOfRows } from './keepLargestOfRows.ts';
import { learnOrthonormal } from './learnOrthonormal.ts';
import { learnPair } from './learnPair.ts';
import { wide } from './testCodes.ts';

function pairOf(rows: number, columns: number, tokenCount = 90) {
  const weights = [5, 6].map(seed => randomWeight(rows, columns, seed));
  const statistics = [7, 8].map(seed => statisticsOf(randomActivations(tokenCount, columns, seed)));
  const [first, second] = weights.map((weight, index) => ({
    weight: toFloat64(weight),
    gram: statistics[index]!.inputGram,
  }));
  return { weights, statistics, sites: [first!, second!] as const };
}

async function objectiveOf(
  sites: ReturnType<typeof pairOf>['sites'],
  coefficients: readonly Matrix<Float64Array>[],
  atoms: Matrix<Float64Array>,
): Promise<number> {
  let sum = 0;
  for (const [index, { weight, gram }] of sites.entries()) {
    const product = await gemm(coefficients[index]!, atoms);
    const rest = { ...weight, data: weight.data.map((value, place) => value - product.data[place]!) };
    const weighted = await gemm(rest, gram);
    for (let place = 0; place < rest.data.length; place++) sum += weighted.data[place]! * rest.data[place]!;
  }
  return sum;
}

function sparse(rows: number, columns: number, perRow: number, seed: number): Matrix<Float64Array> {
  const matrix = wide(rows, columns, seed);
  keepLargestOfRows(matrix, rows * perRow);
  return matrix;
}

it('fits shared atoms as the normal equations of all their values do, solved by elimination', async () => {
  const { sites } = pairOf(9, 5);
  const [atomCount, inputs] = [4, 5];
  const coefficients = [sparse(9, atomCount, 2, 1), sparse(9, atomCount, 2, 2)] as const;
  const basis = await diagonalizeTogether(sites[0].gram, sites[1].gram);
  let atoms = wide(atomCount, inputs, 3);
  // The ridge holds a step back a little.
  for (let step = 0; step < 3; step++) atoms = await fitSharedAtoms(sites, coefficients, atoms, basis);
  const size = atomCount * inputs;
  const matrix = Array.from({ length: size }, () => new Float64Array(size + 1));
  for (const [index, { weight, gram }] of sites.entries()) {
    const code = coefficients[index]!;
    const uses = await gemm(code, code, { transposeA: true });
    const pulls = await gemm(await gemm(code, weight, { transposeA: true }), gram);
    for (let row = 0; row < size; row++) {
      const [atom, input] = [Math.floor(row / inputs), row % inputs];
      matrix[row]![size]! += pulls.data[row]!;
      for (let column = 0; column < size; column++) {
        const [otherAtom, otherInput] = [Math.floor(column / inputs), column % inputs];
        matrix[row]![column]! += uses.data[atom * atomCount + otherAtom]! * gram.data[otherInput * inputs + input]!;
      }
    }
  }
  const expected = eliminate(matrix);
  expected.forEach((value, index) => {
    expect(atoms.data[index]).toBeCloseTo(value, 6);
  });
});

/** Gauss without pivots, for positive definite systems. */
function eliminate(matrix: Float64Array[]): number[] {
  const size = matrix.length;
  for (let pivot = 0; pivot < size; pivot++) {
    for (let row = 0; row < size; row++) {
      if (row === pivot) continue;
      const factor = matrix[row]![pivot]! / matrix[pivot]![pivot]!;
      for (let column = pivot; column <= size; column++) matrix[row]![column]! -= factor * matrix[pivot]![column]!;
    }
  }
  return matrix.map((row, index) => row[size]! / row[index]!);
}

it.each([90, 7])('never raises the objective, which is that of the product, with %i tokens', async tokenCount => {
  const { sites } = pairOf(40, 24, tokenCount);
  const { objectives, coefficients, atoms } = await learnPair(sites, { atomCount: 16, nonzeroCount: 170 }, 20);
  const zeros = coefficients.map(matrix => ({ ...matrix, data: new Float64Array(matrix.data.length) }));
  const energy = await objectiveOf(sites, zeros, atoms);
  expect((await objectiveOf(sites, coefficients, atoms)) / energy).toBeCloseTo(objectives.at(-1)!, 8);
  for (let sweep = 1; sweep < objectives.length; sweep++) {
    expect(objectives[sweep]).toBeLessThanOrEqual(objectives[sweep - 1]! + 1e-12);
  }
  expect(objectives.at(-1)).toBeLessThan(objectives[0]!);
});

it('leaves atoms that no output uses where they are', async () => {
  const { sites } = pairOf(9, 5);
  const coefficients = [sparse(9, 4, 2, 1), sparse(9, 4, 2, 2)] as const;
  for (const { data } of coefficients) for (let index = 2; index < data.length; index += 4) data[index] = 0;
  const atoms = wide(4, 5, 3);
  const basis = await diagonalizeTogether(sites[0].gram, sites[1].gram);
  const fitted = await fitSharedAtoms(sites, coefficients, atoms, basis);
  expect(fitted.data.slice(10, 15)).toEqual(atoms.data.slice(10, 15));
  expect(await objectiveOf(sites, coefficients, fitted)).toBeLessThan(await objectiveOf(sites, coefficients, atoms));
});

it('finds the dictionary that two weights were made of', async () => {
  const { atoms: planted } = await learnOrthonormal(wide(60, 24, 9), { atomCount: 12, nonzeroCount: 60 }, 1);
  const sites = [
    { weight: await gemm(sparse(400, 12, 3, 72), planted), gram: identityStatistics(24).inputGram },
    { weight: await gemm(sparse(400, 12, 3, 73), planted), gram: diagonalStatistics(24).inputGram },
  ] as const;
  const { atoms, objectives } = await learnPair(sites, { atomCount: 12, nonzeroCount: 1200 }, 60);
  expect(objectives[0]).toBeGreaterThan(1e-3);
  expect(objectives.at(-1)).toBeLessThan(1e-9);
  const overlaps = await gemm(planted, atoms, { transposeB: true });
  const norm = (matrix: Matrix<Float64Array>, row: number) =>
    Math.hypot(...matrix.data.subarray(row * 24, row * 24 + 24));
  for (let atom = 0; atom < 12; atom++) {
    const cosines = Array.from({ length: 12 }, (_, found) =>
      Math.abs(overlaps.data[atom * 12 + found]! / (norm(planted, atom) * norm(atoms, found))),
    );
    expect(Math.max(...cosines)).toBeGreaterThan(0.99);
  }
});

it('stores the dictionary once, and gives a site without a partner its own', async () => {
  const { weights, statistics } = pairOf(33, 35);
  const results = await geopair(weights, statistics, { ratio: 0.3 });
  const { right, sharedRight } = results[0]!;
  expect(results[1]!.right).toBe(right);
  expect(results.map(result => result.sharedRight)).toEqual([sharedRight, sharedRight]);
  expect(sharedRight!.siteCount).toBe(2);
  const stored = results.reduce((sum, result) => sum + maskedStorageBits(result), 0);
  expect(stored).toBe(2 * maskedStorageBits(results[0]!.left) + maskedStorageBits(right));
  const budget = 0.7 * 16 * 2 * 33 * 35;
  expect(stored).toBeLessThanOrEqual(budget);
  expect(stored).toBeGreaterThan(budget - 2 * 32);
  const [alone] = await geopair(weights.slice(0, 1), statistics.slice(0, 1), { ratio: 0.3 });
  expect(alone!.sharedRight).toBeNull();
});

it('survives Grams of low rank, dead inputs and zero rows', async () => {
  const { weights } = pairOf(20, 24);
  weights[0]!.data.fill(0, 24, 48);
  const statistics = [12, 13].map(seed => {
    const activations = randomActivations(9, 24, seed);
    for (let token = 0; token < 9; token++) activations.data[token * 24 + 5] = 0;
    return statisticsOf(activations);
  });
  const results = await geopair(weights, statistics, { ratio: 0.3 });
  for (const [index, result] of results.entries()) {
    const error = await relativeOutputError(weights[index]!, await reconstruct(result), statistics[index]!.inputGram);
    expect(error).toBeLessThan(0.6);
  }
});

it('refuses groups of different shapes, and statistics that are too few', async () => {
  const { weights, statistics } = pairOf(12, 40);
  for (const [given, read] of [
    [[weights[0]!, randomWeight(13, 40)], statistics],
    [weights, [statistics[0]!]],
    [[], []],
  ] as const) {
    await expect(geopair(given, read, { ratio: 0.2 })).rejects.toMatchObject({ code: 'INVALID_SHAPE' });
  }
});
