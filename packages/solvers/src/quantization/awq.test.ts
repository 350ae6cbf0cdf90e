import { type InputStatistics, reconstruct } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import { describe, expect, it } from 'vitest';
import { relativeOutputError } from '../relativeOutputError.ts';
import { randomActivations, randomWeight, statisticsOf } from '../testData.ts';
import { awq } from './awq.ts';
import { clipRanges } from './clipRanges.ts';
import { correlatedInputs } from './correlatedInputs.ts';
import { roundToNearest } from './roundToNearest.ts';

const INPUTS = 48;

/** Activations of which a few channels are large, as language models have them. */
function outlierStatistics(): InputStatistics {
  const activations = randomActivations(200, INPUTS, 11);
  const data = activations.data.map((value, at) => value * ((at % INPUTS) % 13 === 5 ? 30 : 1));
  return statisticsOf({ ...activations, data });
}

/** Sum over tokens is what the Gram holds: tr(E G E^T) by plain loops. */
function energy({ rows, columns, data }: Matrix<Float32Array>, gram: Matrix<Float64Array>): number {
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < columns; i++) {
      for (let j = 0; j < columns; j++)
        sum += data[row * columns + i]! * gram.data[i * columns + j]! * data[row * columns + j]!;
    }
  }
  return sum;
}

const difference = (left: Matrix<Float32Array>, right: Matrix<Float32Array>): Matrix<Float32Array> => ({
  ...left,
  data: left.data.map((value, at) => value - right.data[at]!),
});

describe('awq', () => {
  const statistics = outlierStatistics();
  const weights = [randomWeight(20, INPUTS, 3, 2), randomWeight(12, INPUTS, 4, 0.1)];

  it.each([
    { bits: 3, groupSize: 16 },
    { bits: 4, groupSize: 'channel', symmetric: false },
    { bits: 2, groupSize: 32 },
  ] as const)('takes the exponent that a plain search takes, one for all sites: %o', async grid => {
    const { inputGram, meanAbsolute } = statistics;
    let least = Number.POSITIVE_INFINITY;
    let expected: readonly Matrix<Float32Array>[] = [];
    for (let step = 0; step < 20; step++) {
      const powers = [...meanAbsolute].map(mean => mean ** (step / 20));
      const middle = Math.sqrt(Math.max(...powers) * Math.min(...powers));
      const divisors = powers.map(power => Math.f16round(middle / power));
      const tried: Matrix<Float32Array>[] = [];
      let loss = 0;
      for (const weight of weights) {
        const scaled = { ...weight, data: weight.data.map((value, at) => value / divisors[at % INPUTS]!) };
        const dense = await reconstruct(roundToNearest(scaled, grid));
        const back = { ...dense, data: dense.data.map((value, at) => value * divisors[at % INPUTS]!) };
        loss += energy(difference(weight, back), inputGram) / energy(weight, inputGram);
        tried.push(back);
      }
      if (loss < least) [least, expected] = [loss, tried];
    }
    const solved = await awq(
      weights.map(weight => ({ weight, options: { ...grid, clip: false } })),
      statistics,
    );
    expect(solved[1]!.inputScale).toEqual(solved[0]!.inputScale);
    for (const [index, result] of solved.entries()) {
      const { data } = await reconstruct(result);
      for (const [at, value] of data.entries()) expect(value).toBeCloseTo(expected[index]!.data[at]!, 5);
    }
  });

  it('loses less than round-to-nearest where few inputs are large, and clipping less again', async () => {
    const errorOf = async (dense: Matrix<Float32Array>) =>
      relativeOutputError(weights[0]!, dense, statistics.inputGram);
    const grid = { bits: 3, groupSize: 16 } as const;
    const rounded = await errorOf(await reconstruct(roundToNearest(weights[0]!, grid)));
    const solve = async (clip: boolean) => {
      const [result] = await awq([{ weight: weights[0]!, options: { ...grid, clip } }], statistics);
      return errorOf(await reconstruct(result!));
    };
    const scaled = await solve(false);
    expect(scaled).toBeLessThan(0.8 * rounded);
    expect(await solve(true)).toBeLessThan(scaled);
  });

  it('takes inputs that were never active', async () => {
    const activations = randomActivations(60, 9, 5);
    const data = activations.data.map((value, at) => (at % 9 === 4 ? 0 : value));
    const [result] = await awq(
      [{ weight: randomWeight(4, 9), options: { bits: 8 } }],
      statisticsOf({ ...activations, data }),
    );
    const { data: dense } = await reconstruct(result!);
    expect(dense.every(Number.isFinite)).toBe(true);
  });
});

describe('clipRanges', () => {
  const activations = randomActivations(120, 40, 8);
  const { inputGram } = statisticsOf(activations);
  const rule = {
    bits: 3,
    symmetric: false,
    shrinkSearch: false,
    raiseSmallScales: false,
    scaleType: 'float16',
  } as const;

  /** e G_gg e^T of one output and group. */
  const groupEnergy = (errors: Matrix<Float32Array>, row: number, from: number, to: number): number => {
    const own = { rows: 1, columns: 40, data: new Float32Array(40) };
    for (let at = from; at < to; at++) own.data[at] = errors.data[row * 40 + at]!;
    return energy(own, inputGram);
  };

  it('gives each output and group the least error of the 21 ranges', async () => {
    const weight = randomWeight(6, 40, 21);
    const result = (await clipRanges(weight, correlatedInputs(inputGram), { groupSize: 16, rule }))!;
    const errors = difference(weight, await reconstruct(result));
    let narrower = 0;
    for (let row = 0; row < 6; row++) {
      for (let from = 0; from < 40; from += 16) {
        const to = Math.min(40, from + 16);
        const own = groupEnergy(errors, row, from, to);
        const tried: number[] = [];
        for (let step = 0; step <= 20; step++) {
          const fraction = 1 - step / 40;
          const values = [...weight.data.slice(row * 40 + from, row * 40 + to)];
          const [lowest, highest] = [Math.min(0, ...values) * fraction, Math.max(0, ...values) * fraction];
          const scale = Math.f16round((highest - lowest) / 7);
          const zeroPoint = Math.min(7, Math.round(-lowest / scale));
          const data = new Float32Array(240);
          for (const [at, value] of values.entries()) {
            const code = Math.max(0, Math.min(7, Math.round(value / scale) + zeroPoint));
            data[row * 40 + from + at] = value - scale * (code - zeroPoint);
          }
          tried.push(groupEnergy({ rows: 6, columns: 40, data }, row, from, to));
        }
        const least = Math.min(...tried);
        if (least < tried[0]!) narrower++;
        expect(own).toBeLessThan(least * (1 + 1e-4));
        expect(own).toBeGreaterThan(least * (1 - 1e-4));
      }
    }
    expect(narrower).toBeGreaterThan(3);
  });

  it('tells of a scale that float16 does not hold', async () => {
    const weight = randomWeight(3, 40, 2, 1e7);
    expect(await clipRanges(weight, correlatedInputs(inputGram), { groupSize: 32, rule })).toBeNull();
  });
});
