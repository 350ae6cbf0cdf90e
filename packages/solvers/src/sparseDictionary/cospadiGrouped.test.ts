import { type LowRankWeight, maskedStorageBits, reconstruct } from '@quern/core';
import { gemm } from '@quern/linalg';
import { expect, it } from 'vitest';
import { relativeOutputError } from '../relativeOutputError.ts';
import { identityStatistics, randomActivations, randomWeight, statisticsOf } from '../testData.ts';
import { cospadi } from './cospadi.ts';
import { cospadiGrouped } from './cospadiGrouped.ts';
import { keepLargestOfRows } from './keepLargestOfRows.ts';
import { learnByPursuit } from './learnByPursuit.ts';
import { sampleAtoms } from './sampleAtoms.ts';
import { squaredDistance, wide } from './testCodes.ts';

const groupOf = (count: number, rows: number, columns: number) => ({
  weights: Array.from({ length: count }, (_, index) => randomWeight(rows, columns, 5 + index)),
  statistics: Array.from({ length: count }, (_, index) => statisticsOf(randomActivations(90, columns, 15 + index))),
});

it('gives every site as many nonzeros, and the objective is that of the code it returns', async () => {
  const target = wide(30, 14, 3);
  // 25 nonzeros for 10 outputs: the odd ones go round inside each site.
  const size = { atomCount: 9, nonzeroCount: 25 };
  const code = await learnByPursuit(target, size, { sweeps: 6, seed: 1, siteCount: 3 });
  const nonzerosOf = (site: number): number =>
    code.coefficients.data.subarray(site * 90, (site + 1) * 90).filter(value => value !== 0).length;
  expect([0, 1, 2].map(nonzerosOf)).toEqual([25, 25, 25]);
  const energy = target.data.reduce((sum, value) => sum + value * value, 0);
  const left = await squaredDistance(target, code.coefficients, code.atoms);
  expect(left / energy).toBeCloseTo(Math.min(...code.objectives), 10);
  const energyOf = (site: number): number =>
    target.data.subarray(site * 140, (site + 1) * 140).reduce((sum, value) => sum + value * value, 0);
  const sum = code.siteObjectives.reduce((total, own, site) => total + own.at(-1)! * energyOf(site), 0);
  expect(sum / energy).toBeCloseTo(code.objectives.at(-1)!, 12);
});

it('finds the dictionary that several weights were made of', async () => {
  const planted = sampleAtoms(wide(10, 20, 41), 10, 1);
  const weights = [];
  for (const seed of [42, 43, 44]) {
    const coefficients = wide(200, 10, seed);
    keepLargestOfRows(coefficients, 200 * 2);
    const { rows, columns, data } = await gemm(coefficients, planted);
    weights.push({ rows, columns, data: Float32Array.from(data) });
  }
  const statistics = weights.map(() => identityStatistics(20));
  // 3200 bits of atoms in all, and for each output a mask of ten bits and two values.
  const ratio = 1 - (3200 / 3 + 200 * (10 + 32)) / (16 * 200 * 20);
  const results = await cospadiGrouped(weights, statistics, {
    ratio: Math.floor(1e4 * ratio) / 1e4,
    atomsPerNonzero: 5,
  });
  for (const [index, result] of results.entries()) {
    const error = await relativeOutputError(weights[index]!, await reconstruct(result), statistics[index]!.inputGram);
    expect(error).toBeLessThan(0.25);
  }
  const overlaps = await gemm(planted, toWide(await reconstruct(results[0]!.right)), { transposeB: true });
  let found = 0;
  for (let atom = 0; atom < 10; atom++) {
    const row = overlaps.data.subarray(atom * overlaps.columns, (atom + 1) * overlaps.columns);
    if (Math.max(...row.map(Math.abs)) > 0.99) found++;
  }
  expect(found).toBeGreaterThanOrEqual(8);
});

it('stores the dictionary once, in as many bits as asked for, and gives a site alone what cospadi does', async () => {
  const { weights, statistics } = groupOf(3, 33, 35);
  const options = { ratio: 0.3, sweeps: 4, blocksPerGroup: 3 };
  const results = await cospadiGrouped(weights, statistics, options);
  const { right, sharedRight } = results[0]!;
  for (const result of results) {
    expect(result.right).toBe(right);
    expect(result.sharedRight).toEqual({ name: sharedRight!.name, siteCount: 3 });
  }
  const stored = results.reduce((sum, { left }) => sum + maskedStorageBits(left), maskedStorageBits(right));
  expect(stored).toBe(results.reduce((sum, result) => sum + maskedStorageBits(result), 0));
  const budget = 0.7 * 16 * 3 * 33 * 35;
  expect(stored).toBeLessThanOrEqual(budget);
  expect(stored).toBeGreaterThan(budget - 3 * 32);
  const [alone] = await cospadiGrouped(weights.slice(0, 1), statistics.slice(0, 1), options);
  expect(alone).toEqual(await cospadi(weights[0]!, statistics[0]!, { ratio: 0.3, sweeps: 4 }));
});

it('is better with a dictionary for both than two of half the atoms, where the weights are alike', async () => {
  const { weights, statistics } = groupOf(1, 40, 24);
  const twice = [weights[0]!, weights[0]!];
  const both = [statistics[0]!, statistics[0]!];
  const [grouped] = await cospadiGrouped(twice, both, { ratio: 0.3 });
  const single = await cospadi(weights[0]!, statistics[0]!, { ratio: 0.3 });
  const errorOf = async (result: LowRankWeight): Promise<number> =>
    relativeOutputError(weights[0]!, await reconstruct(result), statistics[0]!.inputGram);
  expect(await errorOf(grouped!)).toBeLessThan(0.9 * (await errorOf(single)));
});

it('refuses weights of different shapes', async () => {
  const { weights, statistics } = groupOf(2, 12, 40);
  await expect(cospadiGrouped([weights[0]!, randomWeight(13, 40)], statistics, { ratio: 0.2 })).rejects.toMatchObject({
    code: 'INVALID_SHAPE',
  });
});

function toWide({ rows, columns, data }: { rows: number; columns: number; data: Float32Array }) {
  return { rows, columns, data: Float64Array.from(data) };
}
