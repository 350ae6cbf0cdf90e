import { type LowRankWeight, maskedStorageBits, reconstruct } from '@quern/core';
import { describe, expect, it } from 'vitest';
import { relativeOutputError } from '../relativeOutputError.ts';
import { solvers } from '../solvers.ts';
import { randomActivations, randomWeight, statisticsOf } from '../testData.ts';
import { dictionary } from './dictionary.ts';
import { dictionaryFormat } from './dictionaryFormat.ts';
import type { DictionaryOptions } from './dictionaryOptions.ts';
import { keepLargest } from './keepLargest.ts';
import { learnAtBest } from './learnAtBest.ts';
import { outputProblem } from './outputProblem.ts';
import { overInputs } from './overInputs.ts';
import { sampleAtoms } from './sampleAtoms.ts';
import { sideBySide } from './sideBySide.ts';
import { stackSites } from './stackSites.ts';
import { storeOutputCode } from './storeOutputCode.ts';
import { wide } from './testCodes.ts';

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

  it('are stored where an atom has nothing but places kept for it', async () => {
    const [atomCount, inputs] = [6, 20];
    const { inputGram: gram } = statisticsOf(randomActivations(200, inputs, 4));
    const problem = await outputProblem([{ weight: wide(OWN, inputs, 5), gram }]);
    const coefficients = wide(atomCount, inputs, 9);
    keepLargest(coefficients.data, 60);
    for (let input = 0; input < inputs; input++) coefficients.data[input] = input % 3 === 0 ? 1e-300 : 0;
    const atoms = sampleAtoms(wide(atomCount, OWN, 8), atomCount, 1);
    const code = { atoms, coefficients: sideBySide(coefficients.data, atomCount, [inputs]) };
    const format = dictionaryFormat({ bits: 4, groupSize: 'channel' });
    const { rights, remaining } = await storeOutputCode(problem, null, code, format);
    expect([...rights[0]!.mask]).toEqual([...coefficients.data].map(value => Number(value !== 0)));
    expect(remaining).toBeLessThan(1);
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
