import { type LowRankWeight, maskedStorageBits, reconstruct } from '@quern/core';
import { gemm, type Matrix } from '@quern/linalg';
import { describe, expect, it } from 'vitest';
import { toFloat32 } from '../lowRank/toFloat32.ts';
import { relativeOutputError } from '../relativeOutputError.ts';
import { relativeWeightError } from '../relativeWeightError.ts';
import { solvers } from '../solvers.ts';
import { identityStatistics, randomActivations, randomWeight, statisticsOf } from '../testData.ts';
import { dictionary } from './dictionary.ts';
import type { DictionaryOptions } from './dictionaryOptions.ts';
import { keepLargestOfRows } from './keepLargestOfRows.ts';
import { sampleAtoms } from './sampleAtoms.ts';
import { splitRows } from './splitRows.ts';
import { wide } from './testCodes.ts';

const INPUTS = 32;
const statistics = statisticsOf(randomActivations(200, INPUTS, 3));

function above(weights: readonly Matrix<Float32Array>[]): Matrix<Float32Array> {
  const data = Float32Array.from(weights.flatMap(weight => [...weight.data]));
  return { rows: data.length / INPUTS, columns: INPUTS, data };
}

const times = ({ rows, columns, data }: Matrix<Float32Array>, factor: number): Matrix<Float32Array> => ({
  ...{ rows, columns },
  data: data.map(value => factor * value),
});

const stack = (weights: readonly Matrix<Float32Array>[], options: DictionaryOptions) =>
  dictionary(
    weights.map(weight => ({ weight, statistics })),
    options,
  );

const errorsOf = (weights: readonly Matrix<Float32Array>[], results: readonly LowRankWeight[]) =>
  Promise.all(
    results.map(async (result, index) =>
      relativeOutputError(weights[index]!, await reconstruct(result), statistics.inputGram),
    ),
  );

describe('sites that read one input', () => {
  const weights = [48, 16, 32].map((rows, index) => randomWeight(rows, INPUTS, 5 + index));
  const options = { ratio: 0.4, sweeps: 12 };

  it('are solved as the one weight that they are above each other', async () => {
    // Of the same values, so that all rows count alike where inputs are independent.
    const [first] = weights;
    const pair = [first!, { ...first!, data: first!.data.toReversed() }];
    const independent = identityStatistics(INPUTS);
    const solve = async (own: readonly Matrix<Float32Array>[]) =>
      dictionary(
        own.map(weight => ({ weight, statistics: independent })),
        { ...options, ratio: 0.5 },
      );
    const results = await solve(pair);
    const [whole] = await solve([above(pair)]);
    const parts = await Promise.all(results.map(reconstruct));
    expect(relativeWeightError(await reconstruct(whole!), above(parts))).toBeLessThan(1e-6);
    for (const { right, sharedRight } of results) {
      expect(right).toEqual(results[0]!.right);
      expect(sharedRight).toEqual({ name: results[0]!.sharedRight!.name, siteCount: 2 });
    }
  });

  it('find the dictionary that was planted in all of them', async () => {
    const [atomCount, inputs, rows, nonzeros] = [12, 24, 500, 3];
    const planted = sampleAtoms(wide(atomCount, inputs, 71), atomCount, 1);
    const coefficients = wide(3 * rows, atomCount, 72);
    keepLargestOfRows(coefficients, 3 * rows * nonzeros);
    const own = splitRows(await gemm(coefficients, planted), 3).map(toFloat32);
    // What one dictionary and all coefficients take.
    const bits = 16 * atomCount * inputs + 3 * rows * (atomCount + 16 * nonzeros);
    const learning = { ratio: 1 - bits / (16 * 3 * rows * inputs), atomsPerNonzero: 4, sweeps: 80 };
    const sites = own.map(weight => ({ weight, statistics: identityStatistics(inputs) }));
    const results = await dictionary(sites, learning);
    const { rows: found, data } = await reconstruct(results[0]!.right);
    expect(found).toBe(atomCount);
    const overlaps = await gemm(
      planted,
      { rows: found, columns: inputs, data: Float64Array.from(data) },
      { transposeB: true },
    );
    for (let atom = 0; atom < atomCount; atom++) {
      expect(Math.max(...overlaps.data.subarray(atom * found, (atom + 1) * found).map(Math.abs))).toBeGreaterThan(0.99);
    }
    for (const [index, result] of results.entries()) {
      expect(relativeWeightError(own[index]!, await reconstruct(result))).toBeLessThan(0.05);
    }
  });

  it('count by their relative errors, whatever their sizes', async () => {
    const expected = await errorsOf(weights, await stack(weights, options));
    const scaled = weights.map((weight, index) => times(weight, [1, 512, 1 / 64][index]!));
    const found = await errorsOf(scaled, await stack(scaled, options));
    for (const [index, error] of found.entries()) expect(error / expected[index]!).toBeCloseTo(1, 2);
  });

  it.each<[DictionaryOptions, number]>([
    [{ ratio: 0.3, sweeps: 2 }, 0],
    [{ ratio: 0.7, bits: 3, sweeps: 2 }, 15],
    // No zeros are left, nor more atoms than inputs.
    [{ ratio: 0.45, bits: 4, sweeps: 2 }, 15],
  ])('take together what is announced of each: %j', async (asked, tolerance) => {
    const ragged = [33, 7, 24].map((rows, index) => randomWeight(rows, INPUTS, 9 + index));
    const stackedOutputs = ragged.map(({ rows }) => rows);
    let announced = 0;
    let stored = 0;
    for (const result of await stack(ragged, asked)) {
      const shape = { outFeatures: result.outFeatures, inFeatures: INPUTS, stackedOutputs };
      announced += solvers.dictionary!.storageBits(shape, { ...asked });
      stored += maskedStorageBits(result);
    }
    expect(announced - stored).toBeGreaterThanOrEqual(-1e-6);
    expect(announced - stored).toBeLessThanOrEqual(tolerance * ragged.length + 1e-6);
  });

  it('of zeros stay zeros beside others', async () => {
    const zeros = { rows: 16, columns: INPUTS, data: new Float32Array(16 * INPUTS) };
    const [none, other] = await stack([zeros, weights[0]!], options);
    expect((await reconstruct(none!)).data.every(value => value === 0)).toBe(true);
    expect((await errorsOf([weights[0]!], [other!]))[0]).toBeLessThan(0.5);
  });

  it('are refused where they do not read as many inputs', async () => {
    const narrower = randomWeight(16, INPUTS - 1, 5);
    await expect(stack([weights[0]!, narrower], options)).rejects.toMatchObject({ code: 'INVALID_SHAPE' });
  });
});
