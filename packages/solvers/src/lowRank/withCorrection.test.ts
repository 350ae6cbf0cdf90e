import { type CorrectedWeight, reconstruct } from '@quern/core';
import { describe, expect, it } from 'vitest';
import { solveSites } from '../contractCases.ts';
import { relativeOutputError } from '../relativeOutputError.ts';
import type { SolverOptions } from '../solver.ts';
import { solvers } from '../solvers.ts';
import { identityStatistics, randomActivations, randomWeight, statisticsOf } from '../testData.ts';

const statistics = statisticsOf(randomActivations(200, 64));
const weight = randomWeight(48, 64, 5);

async function solve(name: string, options: SolverOptions): Promise<CorrectedWeight> {
  const [result] = await solveSites(name, [{ weight, statistics }], options);
  return result as CorrectedWeight;
}

async function errorOf(result: CorrectedWeight): Promise<number> {
  return relativeOutputError(weight, await reconstruct(result), statistics.inputGram);
}

describe.each(['rtn', 'gptq'])('%s+lowrank', name => {
  it('is the base and svd-llm of what it left over, in one round', async () => {
    const { base, correction } = await solve(`${name}+lowrank`, {
      bits: 3,
      rank: 4,
      iterations: 1,
      correctionBits: 16,
    });
    expect(base).toEqual(await solve(name, { bits: 3 }));
    const dense = await reconstruct(base);
    const remainder = { ...weight, data: weight.data.map((value, index) => value - dense.data[index]!) };
    const [expected] = await solveSites('svd-llm', [{ weight: remainder, statistics }], { rank: 4 });
    expect(correction).toEqual(expected);
  });

  it('never gets worse by more rounds', async () => {
    for (const bits of [2, 4]) {
      let before = Number.POSITIVE_INFINITY;
      for (const iterations of [1, 2, 4]) {
        const error = await errorOf(await solve(`${name}+lowrank`, { bits, rank: 6, iterations }));
        expect(error).toBeLessThanOrEqual(before);
        before = error;
      }
    }
  });

  it('leaves nothing at full rank', async () => {
    expect(await errorOf(await solve(`${name}+lowrank`, { bits: 2, rank: 48, correctionBits: 16 }))).toBeLessThan(1e-3);
  });

  it('has a correction of an eighth of the smaller side, in 4 bits, unless told otherwise', async () => {
    const { correction } = await solve(`${name}+lowrank`, {});
    expect(correction.left.inFeatures).toBe(6); // 48 / 8
    expect(correction.left).toMatchObject({ kind: 'quantized', bits: 4 });
    const floats = await solve(`${name}+lowrank`, { correctionBits: 16 });
    expect(floats.correction.left).toMatchObject({ kind: 'dense' });
  });

  it('takes every option of its base', () => {
    const keys = Object.keys(solvers[`${name}+lowrank`]!.optionsSchema.shape);
    const own = ['rank', 'correctionBits', 'iterations'];
    expect(keys).toEqual([...Object.keys(solvers[name]!.optionsSchema.shape), ...own]);
  });
});

it('puts an outlier that no grid can hold into the correction', async () => {
  // One weight a thousand times the others: rounding to 2 bits loses all others, unless it is taken out first.
  const data = randomWeight(32, 64, 5).data;
  data[7] = 1000;
  const given = { weight: { rows: 32, columns: 64, data }, statistics: identityStatistics(64) };
  const errorBeside = async (iterations: number) => {
    const options = { bits: 4, rank: 1, iterations, groupSize: 'channel' } as const;
    const [result] = await solveSites('rtn+lowrank', [given], options);
    const dense = await reconstruct(result!);
    return Math.hypot(...dense.data.subarray(0, 64).map((value, index) => value - data[index]!));
  };
  expect(await errorBeside(2)).toBeLessThan(1);
});
