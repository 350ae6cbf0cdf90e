import { CompressionError, reconstruct } from '@quern/core';
import { describe, expect, it } from 'vitest';
import { relativeOutputError } from '../relativeOutputError.ts';
import { randomActivations, randomWeight, statisticsOf } from '../testData.ts';
import { gptq } from './gptq.ts';
import { plainGptq } from './plainGptq.ts';
import { roundToNearest } from './roundToNearest.ts';

describe('gptq', () => {
  for (const actOrder of [false, true]) {
    for (const symmetric of [true, false]) {
      it.each([
        [1, 16],
        [2, 16],
        [5, 16],
        [17, 16],
        [33, 16],
        [70, 32],
        [70, 'channel'],
      ] as const)(
        `equals plain elimination, act-order ${actOrder}, symmetric ${symmetric}, %i inputs, group %s`,
        async (inputs, groupSize) => {
          for (const [bits, shrinkSearch] of [
            [2, false],
            [3, true],
            [4, false],
            [8, false],
          ] as const) {
            const weight = randomWeight(3, inputs, 11, 20);
            const statistics = statisticsOf(randomActivations(90, inputs));
            const options = {
              bits,
              groupSize,
              symmetric,
              shrinkSearch,
              actOrder,
              dampingFraction: 0.02,
              blockSize: 24,
            };
            const result = await gptq(weight, statistics, options);
            const expected = plainGptq(weight, statistics, {
              rule: { bits, symmetric, shrinkSearch, scaleType: 'float16', raiseSmallScales: false },
              groupSize: result.groupSize,
              actOrder,
              dampingFraction: 0.02,
            });
            expect(result.codes).toEqual(expected);
            expect(result.scaleType).toBe('float16');
          }
        },
      );
    }
  }

  it('carries an error to a correlated input as computed by hand', async () => {
    const weight = { rows: 1, columns: 3, data: Float32Array.of(0.37, 0.6, -2) };
    const statistics = {
      inputGram: { rows: 3, columns: 3, data: Float64Array.of(2, 1, 0, 1, 2, 0, 0, 0, 2) },
      tokenCount: 2,
      meanAbsolute: Float64Array.of(1, 1, 1),
    };
    const options = { bits: 4, groupSize: 'channel' } as const;
    // Scale 1/4: .37 -> .25, and the best second weight rises by .12 * 1/2 (hardly less with damping): .66 -> .75, not .5.
    const result = await gptq(weight, statistics, { ...options, dampingFraction: 1e-6 });
    expect([...(await reconstruct(result)).data]).toEqual([0.25, 0.75, -2]);
    expect([...(await reconstruct(roundToNearest(weight, options))).data]).toEqual([0.25, 0.5, -2]);
  });

  it('has less output error than rounding on correlated inputs, many panels and blocks', async () => {
    const weight = randomWeight(700, 150, 5, 20);
    const statistics = statisticsOf(randomActivations(400, 150));
    const error = async (result: Parameters<typeof reconstruct>[0]): Promise<number> =>
      relativeOutputError(weight, await reconstruct(result), statistics.inputGram);
    for (const options of [{ bits: 3 }, { bits: 4, groupSize: 128 }, { bits: 4, symmetric: false }] as const) {
      const rounded = await error(roundToNearest(weight, options));
      expect(await error(await gptq(weight, statistics, options))).toBeLessThan(0.8 * rounded);
      expect(await error(await gptq(weight, statistics, { ...options, actOrder: true }))).toBeLessThan(0.8 * rounded);
    }
  });

  it('gives every output the codes it gets alone', async () => {
    const statistics = statisticsOf(randomActivations(100, 40));
    const weight = randomWeight(1030, 40, 6, 20);
    const together = await gptq(weight, statistics);
    for (const output of [0, 511, 512, 1029]) {
      const row = { rows: 1, columns: 40, data: weight.data.slice(output * 40, output * 40 + 40) };
      const alone = await gptq(row, statistics);
      expect(together.codes.slice(output * 40, output * 40 + 40)).toEqual(alone.codes);
    }
  });

  it('clears the weights of dead inputs and leaves the others as without them', async () => {
    const activations = randomActivations(100, 20);
    const weight = randomWeight(4, 20, 7, 20);
    const dead = [3, 17];
    for (const input of dead) {
      for (let token = 0; token < 100; token++) activations.data[token * 20 + input] = 0;
    }
    const result = await gptq(weight, statisticsOf(activations), { groupSize: 'channel' });
    const live = Array.from({ length: 20 }, (_, input) => input).filter(input => !dead.includes(input));
    const pick = (data: ArrayLike<number>, rows: number): number[] =>
      Array.from({ length: rows }, (_, row) => live.map(input => data[row * 20 + input]!)).flat();
    const without = await gptq(
      { rows: 4, columns: 18, data: Float32Array.from(pick(weight.data, 4)) },
      statisticsOf({ rows: 100, columns: 18, data: Float32Array.from(pick(activations.data, 100)) }),
      { groupSize: 'channel' },
    );
    expect(pick(result.codes, 4)).toEqual([...without.codes]);
    for (const input of dead) {
      for (let row = 0; row < 4; row++) expect((await reconstruct(result)).data[row * 20 + input]).toBe(0);
    }
  });

  it('keeps float32 scales where float16 has none', async () => {
    const statistics = statisticsOf(randomActivations(90, 40));
    const weight = randomWeight(3, 40, 8, 1e-6);
    const result = await gptq(weight, statistics, { groupSize: 16 });
    expect(result.scaleType).toBe('float32');
    expect(await relativeOutputError(weight, await reconstruct(result), statistics.inputGram)).toBeLessThan(0.1);
  });

  it('names the input at which a Hessian is not positive definite, and never damps more by itself', async () => {
    const statistics = statisticsOf(randomActivations(90, 10));
    const gram = statistics.inputGram.data;
    gram[4 * 10 + 6] = gram[6 * 10 + 4] = 3 * Math.sqrt(gram[44]! * gram[66]!);
    const failure = await gptq(randomWeight(2, 10), statistics).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(CompressionError);
    expect(failure).toMatchObject({ code: 'NOT_POSITIVE_DEFINITE', context: { dampingFraction: 0.01 } });
    expect([4, 6]).toContain((failure as CompressionError).context.input);
  });
});
