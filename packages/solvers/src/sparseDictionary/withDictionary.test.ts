import { type CorrectedWeight, reconstruct } from '@quern/core';
import { describe, expect, it } from 'vitest';
import { solveSites } from '../contractCases.ts';
import { relativeOutputError } from '../relativeOutputError.ts';
import type { SolverOptions } from '../solver.ts';
import { randomActivations, randomWeight, statisticsOf } from '../testData.ts';

const statistics = statisticsOf(randomActivations(200, 64));
const weight = randomWeight(80, 64, 5);

async function solve(name: string, options: SolverOptions, given = weight): Promise<CorrectedWeight> {
  const [result] = await solveSites(name, [{ weight: given, statistics }], options);
  return result as CorrectedWeight;
}

describe('gptq+dictionary', () => {
  it('is the base and the dictionary of what it left over, in one round', async () => {
    const options = { bits: 2, correctionRate: 2, sweeps: 4, iterations: 1 };
    const { base, correction } = await solve('gptq+dictionary', options);
    expect(base).toEqual(await solve('gptq', { bits: 2 }));
    const dense = await reconstruct(base);
    const remainder = { ...weight, data: weight.data.map((value, index) => value - dense.data[index]!) };
    const [expected] = await solveSites('dictionary', [{ weight: remainder, statistics }], {
      ...{ ratio: 1 - 2 / 16, bits: 4, sweeps: 4 },
    });
    expect(correction).toEqual(expected);
  });

  it('has its atoms over inputs on grids, and in float16 over what is shorter', async () => {
    const flat = randomWeight(48, 64, 5);
    const kinds = async (correctionBits: number) => {
      const options = { bits: 2, correctionRate: 2, correctionBits, sweeps: 2, iterations: 1 };
      const { left, right } = (await solve('gptq+dictionary', options, flat)).correction;
      return [left.kind, right.kind];
    };
    expect(await kinds(4)).toEqual(['sparseGrid', 'quantized']);
    expect(await kinds(16)).toEqual(['dense', 'sparse']);
  });

  it('never gets worse by more rounds', async () => {
    let before = Number.POSITIVE_INFINITY;
    for (const iterations of [1, 2, 4]) {
      const result = await solve('gptq+dictionary', { bits: 2, correctionRate: 1.5, sweeps: 4, iterations });
      const error = await relativeOutputError(weight, await reconstruct(result), statistics.inputGram);
      expect(error).toBeLessThanOrEqual(before);
      before = error;
    }
  });
});
