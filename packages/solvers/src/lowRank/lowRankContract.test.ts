import { type CompressedWeight, type LowRankWeight, reconstruct, storageBits } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import { Matrix as PeerMatrix, SVD } from 'ml-matrix';
import { describe, expect, it } from 'vitest';
import { LOW_RANK, solveSites } from '../contractCases.ts';
import { relativeOutputError } from '../relativeOutputError.ts';
import { solvers } from '../solvers.ts';
import { identityStatistics, plantedWeight, randomActivations, randomWeight, statisticsOf } from '../testData.ts';

/** What every low-rank method must do besides the contract of all. */

const SHAPES = [
  [9, 100],
  [100, 9],
  [33, 33],
  [40, 24],
] as const;

/** The methods that minimise the output error itself. */
const WHITENED = ['svd-llm', 'svd-llm-v2'];

function peer(matrix: Matrix): PeerMatrix {
  return PeerMatrix.from1DArray(matrix.rows, matrix.columns, Array.from(matrix.data));
}

/** Singular values by ml-matrix, descending. */
function singularValues(matrix: PeerMatrix): number[] {
  const tall = matrix.rows < matrix.columns ? matrix.transpose() : matrix;
  return [...new SVD(tall).diagonal].sort((first, second) => second - first);
}

const norm = (values: ArrayLike<number>): number => Math.hypot(...Array.from(values));

async function difference(weight: Matrix, result: CompressedWeight): Promise<number[]> {
  const dense = await reconstruct(result);
  return Array.from(weight.data, (value, index) => value - dense.data[index]!);
}

function siteOf(rows: number, columns: number, tokenCount = 150) {
  const activations = randomActivations(tokenCount, columns);
  return { weight: randomWeight(rows, columns, 5), statistics: statisticsOf(activations), activations };
}

describe.each(LOW_RANK)('%s', name => {
  const isGroup = solvers[name]!.needs === 'group';

  it.each(SHAPES)('is exact at full rank, but for float16: %i x %i', async (rows, columns) => {
    const { weight, statistics } = siteOf(rows, columns);
    const [result] = await solveSites(name, [{ weight, statistics }], { rank: Math.min(rows, columns) });
    expect(await relativeOutputError(weight, await reconstruct(result!), statistics.inputGram)).toBeLessThan(2e-3);
    expect(norm(await difference(weight, result!)) / norm(weight.data)).toBeLessThan(2e-3);
  });

  it.each(SHAPES)('drops the smallest singular values where inputs are white: %i x %i', async (rows, columns) => {
    const weight = randomWeight(rows, columns, 7);
    const statistics = identityStatistics(columns);
    for (const rank of [1, 4, 8]) {
      const [result] = await solveSites(name, [{ weight, statistics }], { rank });
      const dropped = norm(singularValues(peer(weight)).slice(rank));
      expect(norm(await difference(weight, result!)) / dropped).toBeCloseTo(1, 4);
    }
  });

  it('finds a planted rank', async () => {
    for (const [rows, columns] of SHAPES) {
      const weight = plantedWeight(rows, columns, 5);
      const { statistics } = siteOf(rows, columns);
      const errorAt = async (rank: number) => {
        const [result] = await solveSites(name, [{ weight, statistics }], { rank });
        return relativeOutputError(weight, await reconstruct(result!), statistics.inputGram);
      };
      expect(await errorAt(5)).toBeLessThan(1e-3);
      expect(await errorAt(7)).toBeLessThan(1e-3);
      expect(await errorAt(4)).toBeGreaterThan(0.01);
    }
  });

  it.each([16, 4])('never loses by more rank, at %i bits', async bits => {
    const { weight, statistics } = siteOf(40, 64);
    let before = Number.POSITIVE_INFINITY;
    for (const ratio of [0.9, 0.8, 0.6, 0.4, 0.2]) {
      const [result] = await solveSites(name, [{ weight, statistics }], { ratio, bits });
      const error = await relativeOutputError(weight, await reconstruct(result!), statistics.inputGram);
      // A grid may cost what a few components gain.
      expect(error).toBeLessThanOrEqual(bits === 16 ? before : 1.05 * before);
      before = error;
    }
  });

  it('takes the largest rank within the ratio', async () => {
    const { weight, statistics } = siteOf(40, 64);
    for (const bits of [16, 4, 3]) {
      for (const ratio of [0, 0.2, 0.5, 0.9]) {
        const [result] = await solveSites(name, [{ weight, statistics }], { ratio, bits });
        const rank = (result as LowRankWeight).left.inFeatures;
        const budget = (1 - ratio) * 16 * 40 * 64;
        expect(storageBits(result!)).toBeLessThanOrEqual(budget);
        if (rank === 40) continue;
        const shape = { outFeatures: 40, inFeatures: 64, ...(isGroup ? { siteCount: 1 } : {}) };
        expect(solvers[name]!.storageBits(shape, { rank: rank + 1, bits })).toBeGreaterThan(budget);
      }
    }
  });

  it('wants either a ratio or a rank', async () => {
    const sites = [siteOf(8, 8)];
    for (const options of [{}, { ratio: 0.2, rank: 3 }, { ratio: 1 }]) {
      const failure = solveSites(name, sites, options);
      await expect(failure).rejects.toMatchObject({ code: 'INVALID_OPTION' });
      await expect(failure).rejects.toThrow('ratio');
    }
  });

  it.each(SHAPES)('works with fewer tokens than inputs: %i x %i', async (rows, columns) => {
    const { weight, statistics } = siteOf(rows, columns, 4);
    const [result] = await solveSites(name, [{ weight, statistics }], { rank: 8 });
    const error = await relativeOutputError(weight, await reconstruct(result!), statistics.inputGram);
    // The outputs of four tokens have rank 4; only methods that look at them know.
    expect(error).toBeLessThan(WHITENED.includes(name) || isGroup ? 2e-3 : 1);
  });

  it.each(SHAPES)('works with inputs that were never active: %i x %i', async (rows, columns) => {
    const { weight, activations } = siteOf(rows, columns);
    const dead = [2, columns - 1];
    for (let token = 0; token < activations.rows; token++) {
      for (const input of dead) activations.data[token * columns + input] = 0;
    }
    const statistics = statisticsOf(activations);
    for (const bits of [16, 8]) {
      const [result] = await solveSites(name, [{ weight, statistics }], { rank: Math.min(rows, columns), bits });
      const error = await relativeOutputError(weight, await reconstruct(result!), statistics.inputGram);
      expect(error).toBeLessThan(bits === 16 ? 2e-3 : 0.05);
    }
  });

  it('gives factors that float16 holds, or names the value that it does not', async () => {
    const { weight, statistics } = siteOf(12, 20);
    const large = { ...weight, data: weight.data.map(value => value * 1e6) };
    const [result] = await solveSites(name, [{ weight: large, statistics }], { rank: 12 });
    const { left, right } = result as LowRankWeight;
    for (const factor of [left, right]) {
      expect(factor.kind === 'dense' && factor.data.every(value => Math.f16round(value) === value)).toBe(true);
    }
    expect(await relativeOutputError(large, await reconstruct(result!), statistics.inputGram)).toBeLessThan(2e-3);
    const huge = { ...weight, data: weight.data.map(value => value * 1e12) };
    await expect(solveSites(name, [{ weight: huge, statistics }], { rank: 12 })).rejects.toMatchObject({
      code: 'SOLVER_FAILED',
      message: /65504/,
    });
  });
});

describe.each(WHITENED)('%s', name => {
  it.each(SHAPES)('loses exactly the dropped singular values of W X^T: %i x %i', async (rows, columns) => {
    const { weight, statistics, activations } = siteOf(rows, columns);
    const outputs = peer(weight).mmul(peer(activations).transpose());
    for (const rank of [1, 3, 8]) {
      const [result] = await solveSites(name, [{ weight, statistics }], { rank });
      const error = await relativeOutputError(weight, await reconstruct(result!), statistics.inputGram);
      const values = singularValues(outputs);
      expect(error / (norm(values.slice(rank)) / norm(values))).toBeCloseTo(1, 3);
    }
  });

  it('beats rounding both factors to nearest, on a grid and with outliers', async () => {
    const activations = randomActivations(300, 64);
    for (let token = 0; token < 300; token++) activations.data[token * 64 + 7]! *= 40;
    const statistics = statisticsOf(activations);
    const weight = randomWeight(48, 64, 5);
    const errorOf = async (result: CompressedWeight) =>
      relativeOutputError(weight, await reconstruct(result), statistics.inputGram);
    const [floats] = await solveSites(name, [{ weight, statistics }], { rank: 40 });
    const { left, right } = floats as LowRankWeight;
    const rounded = await Promise.all(
      [left, right].map(async factor => {
        const [result] = await solveSites('rtn', [{ weight: await reconstruct(factor), statistics: null }], {
          bits: 4,
        });
        return result!;
      }),
    );
    const [quantized] = await solveSites(name, [{ weight, statistics }], { rank: 40, bits: 4 });
    const both = { ...(floats as LowRankWeight), left: rounded[0]!, right: rounded[1]! } as LowRankWeight;
    expect(await errorOf(quantized!)).toBeLessThan(0.6 * (await errorOf(both)));
  });
});

it('asvd with alpha 1 is exact where inputs are never active together, as svd-llm is', async () => {
  const weight = randomWeight(20, 12, 3);
  const activations = randomWeight(12, 12, 1, 0);
  for (let input = 0; input < 12; input++) activations.data[input * 13] = 1 + input;
  const statistics = statisticsOf(activations);
  const [scaled] = await solveSites('asvd', [{ weight, statistics }], { rank: 4, alpha: 1 });
  const [whitened] = await solveSites('svd-llm', [{ weight, statistics }], { rank: 4 });
  const expected = await relativeOutputError(weight, await reconstruct(whitened!), statistics.inputGram);
  const error = await relativeOutputError(weight, await reconstruct(scaled!), statistics.inputGram);
  expect(error / expected).toBeCloseTo(1, 4);
  expect(expected).toBeGreaterThan(0.1);
});
