import { type LowRankWeight, reconstruct, storageBits } from '@quern/core';
import { expect, it } from 'vitest';
import { relativeOutputError } from '../relativeOutputError.ts';
import { plantedWeight, randomActivations, randomWeight, statisticsOf } from '../testData.ts';
import { basisSharing } from './basisSharing.ts';
import { svdLlm } from './svdLlm.ts';

const SHAPES = [
  [12, 40],
  [40, 12],
] as const;

function groupOf(rows: number, columns: number, siteCount: number) {
  const seeds = Array.from({ length: siteCount }, (_, index) => 5 + index);
  return {
    weights: seeds.map(seed => randomWeight(rows, columns, seed)),
    statistics: seeds.map(seed => statisticsOf(randomActivations(90, columns, seed))),
  };
}

it.each(SHAPES)('is svd-llm for a group of one: %i x %i', async (rows, columns) => {
  const { weights, statistics } = groupOf(rows, columns, 1);
  const [shared] = await basisSharing(weights, statistics, { rank: 5 });
  const alone = await svdLlm(weights[0]!, statistics[0]!, { rank: 5 });
  const error = async (result: LowRankWeight) =>
    relativeOutputError(weights[0]!, await reconstruct(result), statistics[0]!.inputGram);
  expect((await error(shared!)) / (await error(alone))).toBeCloseTo(1, 4);
});

it.each(SHAPES)('has one right factor, counted once: %i x %i', async (rows, columns) => {
  const { weights, statistics } = groupOf(rows, columns, 3);
  for (const bits of [16, 4]) {
    const results = await basisSharing(weights, statistics, { ratio: 0.3, bits });
    const name = results[0]!.sharedRight!.name;
    for (const { right, sharedRight } of results) {
      expect(right).toEqual(results[0]!.right);
      expect(sharedRight).toEqual({ name, siteCount: 3 });
    }
    const stored = results.reduce((sum, result) => sum + storageBits(result), 0);
    const { left, right } = results[0]!;
    expect(stored).toBeCloseTo(3 * storageBits(left) + storageBits(right), 6);
    expect(stored).toBeLessThanOrEqual(0.7 * 16 * 3 * rows * columns);
    const others = await basisSharing([weights[0]!, weights[0]!, weights[1]!], statistics, { ratio: 0.3, bits });
    expect(others[0]!.sharedRight!.name).not.toBe(name);
  }
});

it('is exact where the weights have a basis in common', async () => {
  const both = plantedWeight(24, 40, 6);
  const weights = [0, 1].map(half => ({ rows: 12, columns: 40, data: both.data.slice(half * 480, half * 480 + 480) }));
  const { statistics } = groupOf(12, 40, 2);
  const results = await basisSharing(weights, statistics, { rank: 6 });
  for (const [index, result] of results.entries()) {
    const error = await relativeOutputError(weights[index]!, await reconstruct(result), statistics[index]!.inputGram);
    expect(error).toBeLessThan(1e-3);
  }
});

it('is exact at the full rank of the stacked weights', async () => {
  for (const [rows, columns] of SHAPES) {
    const { weights, statistics } = groupOf(rows, columns, 2);
    const results = await basisSharing(weights, statistics, { rank: Math.min(2 * rows, columns) });
    for (const [index, result] of results.entries()) {
      const error = await relativeOutputError(weights[index]!, await reconstruct(result), statistics[index]!.inputGram);
      expect(error).toBeLessThan(2e-3);
    }
  }
});

it('refuses groups of different shapes, and statistics that are too few', async () => {
  const { weights, statistics } = groupOf(12, 40, 2);
  const other = randomWeight(13, 40);
  for (const [given, read] of [
    [[weights[0]!, other], statistics],
    [weights, [statistics[0]!]],
    [[], []],
  ] as const) {
    await expect(basisSharing(given, read, { rank: 2 })).rejects.toMatchObject({ code: 'INVALID_SHAPE' });
  }
});
