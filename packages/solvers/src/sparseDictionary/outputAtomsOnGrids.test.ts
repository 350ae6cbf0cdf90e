import { type LowRankWeight, maskedStorageBits, reconstruct } from '@quern/core';
import { describe, expect, it } from 'vitest';
import { relativeOutputError } from '../relativeOutputError.ts';
import { solvers } from '../solvers.ts';
import { randomActivations, randomWeight, statisticsOf } from '../testData.ts';
import { dictionary } from './dictionary.ts';
import { dictionaryFormat } from './dictionaryFormat.ts';
import type { DictionaryOptions } from './dictionaryOptions.ts';
import { learnAtBest } from './learnAtBest.ts';
import { overInputs } from './overInputs.ts';
import { stackSites } from './stackSites.ts';

const INPUTS = 30;
const statistics = statisticsOf(randomActivations(200, INPUTS, 3));

describe('atoms over outputs on grids', () => {
  const OWN = 32;
  const wideSites = [96, 41].map((inputs, index) => ({
    weight: randomWeight(OWN, inputs, 50 + index),
    statistics: statisticsOf(randomActivations(200, inputs, 60 + index)),
    inputName: String(index),
  }));

  it.each<DictionaryOptions>([
    { ratio: 0.75, bits: 3, sweeps: 5 },
    { ratio: 0.7, bits: 4, atomBits: 2, sweeps: 5 },
    { ratio: 0.6, bits: 16, atomBits: 4, groupSize: 16, sweeps: 5 },
    { ratio: 0.6, bits: 5, atomBits: 16, sweeps: 5 },
    // No zeros are left, nor more atoms than outputs.
    { ratio: 0.59, bits: 4, sweeps: 5 },
  ])(
    'are shared by sites of several inputs in the bits that are announced, and leave what they say: %j',
    async options => {
      const results = await dictionary(wideSites, options);
      const stackedInputs = wideSites.map(({ weight: own }) => own.columns);
      let [stored, announced, left] = [0, 0, 0];
      for (const [index, result] of results.entries()) {
        const { weight: own, statistics: known } = wideSites[index]!;
        expect(result.left).toEqual(results[0]!.left);
        expect([result.left.kind, result.right.kind]).toEqual([
          (options.atomBits ?? 4) < 16 ? 'quantized' : 'dense',
          options.bits! < 16 ? 'sparseGrid' : 'sparse',
        ]);
        expect(result.sharedLeft).toEqual({ name: results[0]!.sharedLeft!.name, siteCount: 2 });
        left += (await relativeOutputError(own, await reconstruct(result), known.inputGram)) ** 2 / 2;
        stored += maskedStorageBits(result);
        const shape = { outFeatures: OWN, inFeatures: own.columns, stackedInputs };
        announced += solvers.dictionary!.storageBits(shape, { ...options });
      }
      expect(announced - stored).toBeGreaterThanOrEqual(-1e-6);
      expect(announced - stored).toBeLessThanOrEqual(16 * 2);
      expect(results[0]!.convergence!.objectives.at(-1)! / left).toBeCloseTo(1, 2);
    },
  );

  it('leave less than atoms over inputs in as many bits, and less together than apart', async () => {
    const options = { ratio: 0.8, bits: 4, sweeps: 15 };
    const format = dictionaryFormat({ bits: 4, groupSize: 'channel' });
    const together = await dictionary(wideSites, options);
    let [shared, alone, overTheInputs] = [0, 0, 0];
    for (const [index, site] of wideSites.entries()) {
      const errorOf = async (result: LowRankWeight | undefined) =>
        (await relativeOutputError(site.weight, await reconstruct(result!), site.statistics.inputGram)) ** 2;
      shared += await errorOf(together[index]);
      alone += await errorOf((await dictionary([site], options))[0]);
      const shape = { outFeatures: OWN, inFeatures: site.weight.columns };
      const side = await overInputs(await stackSites([site]), shape, format);
      const code = await learnAtBest(side, { ...options, atomsPerNonzero: undefined, format });
      overTheInputs += await errorOf((await code.store())[0]);
    }
    expect(shared).toBeLessThan(alone);
    expect(alone).toBeLessThan(overTheInputs);
  });

  it('are shared by rows, each site with its own of the dictionary', async () => {
    const sites = [9, 5].map((rows, index) => ({ weight: randomWeight(rows, INPUTS, 20 + index), statistics }));
    const results = await dictionary(sites, { ratio: 0.6, bits: 4, sweeps: 10 });
    for (const [index, result] of results.entries()) {
      expect(result).toMatchObject({ left: { kind: 'quantized', outFeatures: [9, 5][index], zeroPoints: null } });
      expect(result.right).toEqual(results[0]!.right);
      expect(result.sharedRight).toEqual({ name: results[0]!.sharedRight!.name, siteCount: 2 });
      const error = await relativeOutputError(sites[index]!.weight, await reconstruct(result), statistics.inputGram);
      expect(error).toBeLessThan(0.6);
    }
  });
});
