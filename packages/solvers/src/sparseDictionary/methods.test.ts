import { reconstruct } from '@quern/core';
import { describe, expect, it } from 'vitest';
import { relativeOutputError } from '../relativeOutputError.ts';
import { randomActivations, randomWeight, statisticsOf } from '../testData.ts';
import { compot } from './compot.ts';
import { cospadi } from './cospadi.ts';
import { dictionary } from './dictionary.ts';
import { rocket } from './rocket.ts';

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
