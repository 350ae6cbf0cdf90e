import { type InputStatistics, maskedStorageBits, mergeStatistics, reconstruct } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import { describe, expect, it } from 'vitest';
import { CONTRACT_CASES, type Site, solveSites, VARIANTS } from './contractCases.ts';
import { isEntropyCoded } from './isEntropyCoded.ts';
import { relativeOutputError } from './relativeOutputError.ts';
import { relativeWeightError } from './relativeWeightError.ts';
import { solvers } from './solvers.ts';
import { randomActivations, randomWeight, statisticsOf } from './testData.ts';

/** What every method must do, whatever it gives. */

const [OUTPUTS, INPUTS] = [24, 100];
const activations = randomActivations(250, INPUTS);
const statistics = statisticsOf(activations);
const sites: readonly Site[] = [
  { weight: randomWeight(OUTPUTS, INPUTS, 3, 20), statistics },
  { weight: randomWeight(OUTPUTS, INPUTS, 4, 20), statistics: statisticsOf(randomActivations(250, INPUTS, 9)) },
];

/** Methods whose bits are any real number. */
const REAL_BITS = ['watersic', 'aqlm'];

const withStatistics = (given: InputStatistics | null): Site[] =>
  sites.map(({ weight }) => ({ weight, statistics: given }));
const withWeight = (weight: Matrix<Float32Array>): Site[] => [{ ...sites[0]!, weight }, sites[1]!];

function withValue(matrix: Matrix<Float32Array>, index: number, value: number): Matrix<Float32Array> {
  const data = matrix.data.slice();
  data[index] = value;
  return { ...matrix, data };
}

it('runs over every solver', () => {
  expect(Object.keys(VARIANTS).sort()).toEqual(Object.keys(solvers).sort());
});

describe.each(CONTRACT_CASES)('$name $variant', ({ name, variant }) => {
  const solver = solvers[name]!;

  it('reconstructs the shape, in exactly the bits that it announces', async () => {
    // What an entropy coder makes of codes is announced, not known: see watersic.test.ts.
    for (const [rows, columns] of [
      [24, 100],
      [100, 24],
      [33, 33],
    ] as const) {
      const given = [5, 6].map(seed => ({
        weight: randomWeight(rows, columns, seed, 20),
        statistics: statisticsOf(randomActivations(120, columns, seed)),
      }));
      for (const result of await solveSites(name, given, variant)) {
        const dense = await reconstruct(result);
        expect([dense.rows, dense.columns, dense.data.length]).toEqual([rows, columns, rows * columns]);
        expect([result.outFeatures, result.inFeatures]).toEqual([rows, columns]);
        const announced = solver.storageBits({ outFeatures: rows, inFeatures: columns }, variant);
        if (!isEntropyCoded(solver)) expect(maskedStorageBits(result)).toBe(announced);
      }
    }
  });

  it('does not depend on the scale of the Gram or on the token count', async () => {
    const { inputGram, tokenCount, meanAbsolute } = statistics;
    const expected = await solveSites(name, withStatistics(statistics), variant);
    for (const scale of [1024, 1234.5]) {
      const data = inputGram.data.map(value => value * scale);
      const scaled = withStatistics({ inputGram: { ...inputGram, data }, tokenCount: 3 * tokenCount, meanAbsolute });
      for (const [index, result] of (await solveSites(name, scaled, variant)).entries()) {
        const before = await reconstruct(expected[index]!);
        expect(relativeWeightError(before, await reconstruct(result))).toBeLessThan(1e-3);
        if (scale === 1024) expect(result).toEqual(expected[index]);
      }
    }
  });

  it('gives for merged halves of a text what it gives for all of it', async () => {
    const half = (start: number) => {
      const data = activations.data.slice(start * INPUTS, (start + 125) * INPUTS);
      return statisticsOf({ rows: 125, columns: INPUTS, data });
    };
    const merged = withStatistics(mergeStatistics(half(0), half(125)));
    const expected = await solveSites(name, withStatistics(statistics), variant);
    for (const [index, result] of (await solveSites(name, merged, variant)).entries()) {
      const before = expected[index]!;
      if (result.kind === 'quantized') expect(result).toEqual(before);
      expect(relativeWeightError(await reconstruct(before), await reconstruct(result))).toBeLessThan(1e-3);
    }
  });

  it('has the output error by trace that its outputs have', async () => {
    const [result] = await solveSites(name, sites, variant);
    const { weight } = sites[0]!;
    const approximate = await reconstruct(result!);
    let errorEnergy = 0;
    let energy = 0;
    for (let token = 0; token < activations.rows; token++) {
      for (let output = 0; output < weight.rows; output++) {
        let exactOutput = 0;
        let outputError = 0;
        for (let input = 0; input < INPUTS; input++) {
          const activation = activations.data[token * INPUTS + input]!;
          const original = weight.data[output * INPUTS + input]!;
          exactOutput += activation * original;
          outputError += activation * (original - approximate.data[output * INPUTS + input]!);
        }
        energy += exactOutput ** 2;
        errorEnergy += outputError ** 2;
      }
    }
    const byTrace = await relativeOutputError(weight, approximate, statistics.inputGram);
    expect(Math.abs(byTrace / Math.sqrt(errorEnergy / energy) - 1)).toBeLessThan(1e-7);
  });

  it('leaves its inputs as they are and repeats itself', async () => {
    const weightsBefore = sites.map(({ weight }) => weight.data.slice());
    const gramBefore = statistics.inputGram.data.slice();
    const options = Object.freeze({ ...variant });
    const first = await solveSites(name, sites, options);
    const both = await Promise.all([solveSites(name, sites, options), solveSites(name, sites, options)]);
    expect(both).toEqual([first, first]);
    expect(sites.map(({ weight }) => weight.data)).toEqual(weightsBefore);
    expect(statistics.inputGram.data).toEqual(gramBefore);
  });

  it('takes weights of zeros', async () => {
    const zeros = { rows: OUTPUTS, columns: INPUTS, data: new Float32Array(OUTPUTS * INPUTS) };
    const results = await solveSites(
      name,
      sites.map(site => ({ ...site, weight: zeros })),
      variant,
    );
    for (const result of results) expect((await reconstruct(result)).data).toEqual(zeros.data);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('refuses a weight with %d', async value => {
    const bad = withValue(withValue(sites[0]!.weight, 105, value), 300, value);
    await expect(solveSites(name, withWeight(bad), variant)).rejects.toMatchObject({
      code: 'NON_FINITE_WEIGHT',
      context: { count: 2, firstIndex: 105 },
    });
  });

  it('refuses shapes that do not fit', async () => {
    const { weight } = sites[0]!;
    for (const bad of [
      { ...weight, rows: 8 },
      { ...weight, columns: 90 },
      { rows: 0, columns: INPUTS, data: new Float32Array(0) },
      { rows: 1.5, columns: 2, data: new Float32Array(3) },
    ]) {
      await expect(solveSites(name, withWeight(bad), variant)).rejects.toMatchObject({ code: 'INVALID_SHAPE' });
    }
  });

  it('refuses options it does not know or cannot follow', async () => {
    const known = Object.keys(solver.optionsSchema.shape);
    const attempts = [
      { bits: 9 },
      ...(REAL_BITS.includes(name) ? [{ bits: 0 }] : [{ bits: 1 }, { bits: 3.5 }]),
      { bits: '4' },
      { groupSize: 0 },
      { rank: 0 },
      { rank: 1000 },
      { correctionBits: 9 },
      { iterations: 0 },
      { alpha: -1 },
    ].filter(attempt => known.includes(Object.keys(attempt)[0]!));
    for (const options of [...attempts, { grupSize: 32 }]) {
      const { ratio: _, ...others } = variant;
      const given = 'rank' in options ? { ...others, ...options } : { ...variant, ...options };
      const failure = solveSites(name, sites, given);
      await expect(failure).rejects.toMatchObject({ code: 'INVALID_OPTION' });
      await expect(failure).rejects.toThrow(Object.keys(options)[0]!);
      const announce = () => solver.storageBits({ outFeatures: OUTPUTS, inFeatures: INPUTS }, given);
      expect(announce).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
    }
  });

  if (solver.needs === 'weight') return;
  it('refuses statistics that do not fit', async () => {
    const { inputGram, tokenCount, meanAbsolute } = statistics;
    const changed = (index: number, value: number) => {
      const data = inputGram.data.slice();
      data[index] = value;
      return { inputGram: { ...inputGram, data }, tokenCount, meanAbsolute };
    };
    const empty = { ...inputGram, data: new Float64Array(INPUTS * INPUTS) };
    const attempts = [
      ['SOLVER_FAILED', null],
      ['SOLVER_FAILED', { inputGram: empty, tokenCount, meanAbsolute }],
      ['SOLVER_FAILED', { inputGram, tokenCount: 0, meanAbsolute }],
      ['SOLVER_FAILED', changed(7, 1e9)],
      ['NON_FINITE_ACTIVATION', changed(7, Number.NaN)],
      ['NON_FINITE_ACTIVATION', changed(707, Number.POSITIVE_INFINITY)],
      ['INVALID_SHAPE', statisticsOf(randomActivations(20, INPUTS - 1))],
    ] as const;
    for (const [code, given] of attempts) {
      await expect(solveSites(name, withStatistics(given), variant)).rejects.toMatchObject({ code });
    }
  });
});

/** A dictionary of one atom takes more than a weight of one row or one column. */
const DICTIONARIES = ['compot', 'cospadi', 'cospadi-grouped', 'geopair', 'rocket', 'dictionary', 'gptq+dictionary'];

describe.each(DICTIONARIES)('%s on thin weights', name => {
  it.each([
    [1, 17],
    [17, 1],
  ])('%i x %i is refused, with the least that it takes', async (rows, columns) => {
    const site = {
      weight: randomWeight(rows, columns, 5),
      statistics: statisticsOf(randomActivations(30, columns, 5)),
    };
    const options = solvers[name]!.allocation === null ? {} : { ratio: 0 };
    await expect(solveSites(name, [site], options)).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  });
});

describe.each(Object.keys(VARIANTS).filter(name => !DICTIONARIES.includes(name)))('%s on thin weights', name => {
  it.each([
    [1, 17],
    [17, 1],
    [1, 1],
  ])('%i x %i', async (rows, columns) => {
    const options = solvers[name]!.allocation === null ? {} : { rank: 1 };
    const given = [5, 6].map(seed => ({
      weight: randomWeight(rows, columns, seed),
      statistics: statisticsOf(randomActivations(30, columns, seed)),
    }));
    for (const [index, result] of (await solveSites(name, given, options)).entries()) {
      const { weight, statistics } = given[index]!;
      // One component is all of them; grids have 4 bits. What codes cost beside themselves is more than a thin weight's bits.
      const { needs } = solvers[name]!;
      const shared = isEntropyCoded(solvers[name]!) || (needs === 'group' && columns > 1);
      const error = await relativeOutputError(weight, await reconstruct(result), statistics.inputGram);
      expect(error).toBeLessThan(shared ? 1.001 : solvers[name]!.allocation === null ? 0.2 : 1e-3);
    }
  });
});
