import { type CompressedWeight, reconstruct } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import { describe, expect, it } from 'vitest';
import { relativeOutputError } from './relativeOutputError.ts';
import { relativeWeightError } from './relativeWeightError.ts';
import type { Solver } from './solver.ts';
import { solvers } from './solvers.ts';
import { diagonalStatistics, randomActivations, randomWeight, statisticsOf } from './testData.ts';

/** What every solver on a uniform grid is asked, with groups that fit and groups that leave a shorter one. */
const GRIDS = [
  { bits: 2, groupSize: 16 },
  { bits: 3, groupSize: 32, symmetric: false },
  { bits: 4, groupSize: 32, shrinkSearch: true },
  { bits: 5, groupSize: 64, symmetric: false },
  { bits: 8, groupSize: 'channel' },
] as const;

/** Settings of a solver that change what it computes; each row of the suite runs with each of them. */
const VARIANTS: Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>> = {
  rtn: [{}],
  gptq: [{}, { actOrder: true }],
};

const INPUTS = 100;
const weight = randomWeight(9, INPUTS, 3, 20);
const activations = randomActivations(250, INPUTS);
const statistics = statisticsOf(activations);

const optionNames = (solver: Solver): string[] => Object.keys(solver.optionsSchema.shape);

function withValue(matrix: Matrix<Float32Array>, index: number, value: number): Matrix<Float32Array> {
  const data = matrix.data.slice();
  data[index] = value;
  return { ...matrix, data };
}

it('has variants for every solver', () => {
  expect(Object.keys(VARIANTS).sort()).toEqual(Object.keys(solvers).sort());
});

const cases = Object.entries(VARIANTS).flatMap(([name, variants]) =>
  variants.map(variant => ({ name, variant, solver: solvers[name]! })),
);

describe.each(cases)('$name $variant', ({ solver, variant }) => {
  const solve = (options: object, given = statistics): Promise<CompressedWeight> =>
    solver.solve(weight, given, { ...variant, ...options });

  if (optionNames(solver).includes('blockSize')) {
    it.each(GRIDS)('blockSize never changes the result: %o', async grid => {
      const columnByColumn = await solve({ ...grid, blockSize: 1 });
      for (const blockSize of [7, 16, 24, 48, 64, 99, 128]) {
        expect(await solve({ ...grid, blockSize })).toEqual(columnByColumn);
      }
    });
  }

  it.each(GRIDS)('equals round-to-nearest where inputs are never active together: %o', async grid => {
    const result = await solve(grid, diagonalStatistics(INPUTS));
    expect(result).toEqual(await solvers.rtn!.solve(weight, null, grid));
  });

  it.each(GRIDS)('does not depend on the scale of the Gram or on the token count: %o', async grid => {
    const { inputGram, tokenCount, meanAbsolute } = statistics;
    const data = inputGram.data.map(value => value * 1234.5);
    const result = await solve(grid);
    expect(await solve(grid, { inputGram: { ...inputGram, data }, tokenCount, meanAbsolute })).toEqual(result);
    expect(await solve(grid, { inputGram, tokenCount: 3 * tokenCount, meanAbsolute })).toEqual(result);
  });

  it.each(GRIDS)('has the output error by trace that its outputs have: %o', async grid => {
    const approximate = reconstruct(await solve(grid));
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
    const expected = Math.sqrt(errorEnergy / energy);
    const byTrace = await relativeOutputError(weight, approximate, statistics.inputGram);
    expect(Math.abs(byTrace / expected - 1)).toBeLessThan(1e-9);
  });

  it.each(GRIDS)('leaves its inputs as they are and repeats itself: %o', async grid => {
    const weightBefore = weight.data.slice();
    const gramBefore = statistics.inputGram.data.slice();
    const options = Object.freeze({ ...variant, ...grid });
    const first = await solver.solve(weight, statistics, options);
    const [second, third] = await Promise.all([
      solver.solve(weight, statistics, options),
      solver.solve(weight, statistics, options),
    ]);
    expect(second).toEqual(first);
    expect(third).toEqual(first);
    expect(weight.data).toEqual(weightBefore);
    expect(statistics.inputGram.data).toEqual(gramBefore);
  });

  it('loses little at 8 bits', async () => {
    const result = await solve({ bits: 8, groupSize: 32 });
    expect(relativeWeightError(weight, reconstruct(result))).toBeLessThan(0.02);
    expect(await relativeOutputError(weight, reconstruct(result), statistics.inputGram)).toBeLessThan(0.01);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('refuses a weight with %d', async value => {
    const bad = withValue(withValue(weight, 105, value), 300, value);
    await expect(solver.solve(bad, statistics, variant)).rejects.toMatchObject({
      code: 'NON_FINITE_WEIGHT',
      context: { count: 2, firstIndex: 105 },
    });
  });

  it('refuses shapes that do not fit', async () => {
    for (const bad of [
      { ...weight, rows: 8 },
      { ...weight, columns: 90 },
      { rows: 0, columns: INPUTS, data: new Float32Array(0) },
      { rows: 1.5, columns: 2, data: new Float32Array(3) },
    ]) {
      await expect(solver.solve(bad, statistics, variant)).rejects.toMatchObject({ code: 'INVALID_SHAPE' });
    }
  });

  it('refuses options it does not know or cannot follow', async () => {
    const attempts = [
      { bits: 9 },
      { bits: 1 },
      { bits: 3.5 },
      { bits: '4' },
      { groupSize: 33 },
      { groupSize: 512 },
      { grupSize: 32 },
    ];
    for (const options of attempts) {
      const failure = solver.solve(weight, statistics, { ...variant, ...options });
      await expect(failure).rejects.toMatchObject({ code: 'INVALID_OPTION' });
      await expect(failure).rejects.toThrow(Object.keys(options)[0]!);
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
      await expect(solver.solve(weight, given, variant)).rejects.toMatchObject({ code });
    }
  });
});
