import { type CompressedWeight, type InputStatistics, reconstruct } from '@quern/core';
import { describe, expect, it } from 'vitest';
import { solveSites } from '../contractCases.ts';
import { relativeOutputError } from '../relativeOutputError.ts';
import { relativeWeightError } from '../relativeWeightError.ts';
import { solvers } from '../solvers.ts';
import { diagonalStatistics, randomActivations, randomWeight, statisticsOf } from '../testData.ts';

/** What every solver on a uniform grid must do besides the contract of all. */

/** Groups that fit and groups that leave a shorter one. */
const GRIDS = [
  { bits: 2, groupSize: 16 },
  { bits: 3, groupSize: 32, symmetric: false },
  { bits: 4, groupSize: 32, shrinkSearch: true },
  { bits: 5, groupSize: 64, symmetric: false },
  { bits: 8, groupSize: 'channel' },
] as const;

const VARIANTS = [
  ['rtn', {}],
  ['gptq', {}],
  ['gptq', { actOrder: true }],
] as const;

const INPUTS = 100;
const weight = randomWeight(9, INPUTS, 3, 20);
const statistics = statisticsOf(randomActivations(250, INPUTS));

describe.each(VARIANTS)('%s %o', (name, variant) => {
  const solve = async (options: object, given: InputStatistics = statistics): Promise<CompressedWeight> =>
    (await solveSites(name, [{ weight, statistics: given }], { ...variant, ...options }))[0]!;

  if (Object.keys(solvers[name]!.optionsSchema.shape).includes('blockSize')) {
    it.each(GRIDS)('blockSize never changes the result: %o', async grid => {
      const columnByColumn = await solve({ ...grid, blockSize: 1 });
      for (const blockSize of [7, 16, 24, 48, 64, 99, 128]) {
        expect(await solve({ ...grid, blockSize })).toEqual(columnByColumn);
      }
    });
  }

  it.each(GRIDS)('equals round-to-nearest where inputs are never active together: %o', async grid => {
    const [rounded] = await solveSites('rtn', [{ weight, statistics: null }], grid);
    expect(await solve(grid, diagonalStatistics(INPUTS))).toEqual(rounded);
  });

  it.each(GRIDS)('does not depend on the scale of the Gram or on the token count: %o', async grid => {
    const { inputGram, tokenCount, meanAbsolute } = statistics;
    const data = inputGram.data.map(value => value * 1234.5);
    const result = await solve(grid);
    expect(await solve(grid, { inputGram: { ...inputGram, data }, tokenCount, meanAbsolute })).toEqual(result);
    expect(await solve(grid, { inputGram, tokenCount: 3 * tokenCount, meanAbsolute })).toEqual(result);
  });

  it('loses little at 8 bits', async () => {
    const dense = await reconstruct(await solve({ bits: 8, groupSize: 32 }));
    expect(relativeWeightError(weight, dense)).toBeLessThan(0.02);
    expect(await relativeOutputError(weight, dense, statistics.inputGram)).toBeLessThan(0.01);
  });

  it('refuses groups that kernels cannot read', async () => {
    for (const groupSize of [33, 512]) {
      await expect(solve({ groupSize })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    }
  });
});
