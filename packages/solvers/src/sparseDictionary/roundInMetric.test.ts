import { sparseLevels } from '@quern/core';
import { gemm, type Matrix } from '@quern/linalg';
import { Matrix as NaiveMatrix, solve as naiveSolve } from 'ml-matrix';
import { describe, expect, it } from 'vitest';
import { toFloat64 } from '../lowRank/toFloat64.ts';
import { randomActivations, statisticsOf } from '../testData.ts';
import { fitInMetric, type MetricSystem } from './fitInMetric.ts';
import { keepLargest } from './keepLargest.ts';
import { outputProblem } from './outputProblem.ts';
import { roundInMetric } from './roundInMetric.ts';
import { sampleAtoms } from './sampleAtoms.ts';
import { wide } from './testCodes.ts';

interface Rounding {
  readonly system: MetricSystem;
  readonly roots: Float64Array;
  readonly fitted: Matrix<Float64Array>;
  /** tr((Y - A^T C) R (Y - A^T C)^T), entry by entry. */
  readonly leftBy: (coefficients: Float64Array) => number;
}

async function rounding(outputs: number, inputs: number, atomCount: number, nonzeroCount: number): Promise<Rounding> {
  const { inputGram: gram } = statisticsOf(randomActivations(3 * inputs, inputs, 3));
  const given = await outputProblem([{ weight: wide(outputs, inputs, 5), gram }]);
  const [{ target, correlations, pull, roots }] = given.segments as [(typeof given.segments)[number]];
  const atoms = sampleAtoms(wide(atomCount, outputs, 8), atomCount, 1);
  const start = wide(atomCount, inputs, 9);
  keepLargest(start.data, nonzeroCount);
  const atomGram = await gemm(atoms, atoms, { transposeB: true });
  const system = { atomGram, products: await gemm(atoms, pull), correlations };
  const leftBy = (coefficients: Float64Array): number => {
    let sum = 0;
    for (let output = 0; output < outputs; output++) {
      const rest = Array.from({ length: inputs }, (_, input) => {
        let value = target.data[output * inputs + input]!;
        for (let atom = 0; atom < atomCount; atom++) {
          value -= atoms.data[atom * outputs + output]! * coefficients[atom * inputs + input]!;
        }
        return value;
      });
      for (let one = 0; one < inputs; one++) {
        for (let other = 0; other < inputs; other++) {
          sum += rest[one]! * correlations.data[one * inputs + other]! * rest[other]!;
        }
      }
    }
    return sum;
  };
  return { system, roots, fitted: await fitInMetric(start, system, 30), leftBy };
}

/** The same descent by trying every level of one coefficient after the other; scales by elimination. */
function naiveRounding({ system, roots, fitted, leftBy }: Rounding, bits: number) {
  const { rows, columns, data } = fitted;
  const { lowest, step } = sparseLevels(bits);
  const levels = Array.from({ length: 2 ** bits }, (_, code) => lowest + step * code);
  const reach = levels.at(-1)!;
  const values = data.slice();
  const places = [...data.keys()].filter(index => data[index] !== 0);
  const chosen = new Map<number, number>();
  const nearest = (value: number): number =>
    levels.reduce((best, level) => (Math.abs(value - level) < Math.abs(value - best) ? level : best));
  const scales = Array.from({ length: rows }, (_, atom) => {
    const own = places.filter(place => Math.floor(place / columns) === atom);
    const plain = (place: number): number => data[place]! / roots[place % columns]!;
    const largest = Math.max(0, ...own.map(place => Math.abs(plain(place))));
    const missed = (scale: number): number =>
      own.reduce(
        (sum, place) => sum + (roots[place % columns]! * (plain(place) - scale * nearest(plain(place) / scale))) ** 2,
        0,
      );
    const tried = [1, 0.9, 0.8, 0.7, 0.6, 0.5].map(shrink => (shrink * largest) / reach);
    return Math.f16round(tried.reduce((best, scale) => (missed(scale) < missed(best) ? scale : best)));
  });
  for (let round = 0; round < 4; round++) {
    for (let input = 0; input < columns; input++) {
      const own = places.filter(place => place % columns === input);
      for (const place of [...own, ...own]) {
        const unit = scales[Math.floor(place / columns)]! * roots[input]!;
        const left = levels.map(level => {
          values[place] = unit * level;
          return leftBy(values);
        });
        const level = levels[left.indexOf(Math.min(...left))]!;
        chosen.set(place, level);
        values[place] = unit * level;
      }
    }
    // The objective is a parabola of the scales: its coefficients from its values.
    const at = (given: readonly number[]): number => {
      const own = new Float64Array(values.length);
      for (const [place, level] of chosen) {
        own[place] = given[Math.floor(place / columns)]! * roots[place % columns]! * level;
      }
      return leftBy(own);
    };
    const none = at(scales.map(() => 0));
    const unit = (...atoms: number[]): number[] => scales.map((_, atom) => Number(atoms.includes(atom)));
    const singles = scales.map((_, atom) => at(unit(atom)));
    const doubles = scales.map((_, atom) => at(unit(atom).map(value => 2 * value)));
    const squares = scales.map((_, atom) => (doubles[atom]! - 2 * singles[atom]! + none) / 2);
    const matrix = NaiveMatrix.zeros(rows, rows);
    for (let one = 0; one < rows; one++) {
      for (let other = 0; other < rows; other++) {
        const both = one === other ? 0 : (at(unit(one, other)) - singles[one]! - singles[other]! + none) / 2;
        matrix.set(one, other, one === other ? squares[one]! * (1 + 1e-6) : both);
      }
    }
    const pull = scales.map((_, atom) => (none + squares[atom]! - singles[atom]!) / 2);
    const solved = naiveSolve(matrix, NaiveMatrix.columnVector(pull)).to1DArray();
    const rounded = solved.map((value, atom) => (Math.f16round(value) > 0 ? Math.f16round(value) : scales[atom]!));
    if (at(rounded) < at(scales)) scales.splice(0, rows, ...rounded);
    for (const [place, level] of chosen) {
      values[place] = scales[Math.floor(place / columns)]! * roots[place % columns]! * level;
    }
  }
  expect(system.atomGram.rows).toBe(rows);
  return { values, scales, levels: places.map(place => chosen.get(place)!) };
}

describe('coefficients over inputs on grids', () => {
  it.each([
    [5, 9, 4, 2, 20],
    [6, 7, 3, 3, 14],
    // More inputs than are treated together.
    [3, 67, 3, 2, 40],
  ])('are those that trying every level gives: %i outputs, %i inputs, %i atoms, %i bits', async (...shape) => {
    const [outputs, inputs, atomCount, bits, nonzeroCount] = shape;
    const given = await rounding(outputs, inputs, atomCount, nonzeroCount);
    const { values, scales, codes } = await roundInMetric(given.fitted, given.system, { bits, roots: given.roots });
    const expected = naiveRounding(given, bits);
    const { lowest, step } = sparseLevels(bits);
    expect([...codes].map(code => lowest + step * code)).toEqual(expected.levels);
    expect([...scales]).toEqual(expected.scales);
    for (const [index, value] of values.data.entries()) expect(value).toBeCloseTo(expected.values[index]!, 10);
  });

  it('leave much less than coefficients rounded to nearest, and little more than no rounding', async () => {
    const given = await rounding(12, 40, 8, 160);
    const { fitted, roots, system, leftBy } = given;
    const { values, scales } = await roundInMetric(fitted, system, { bits: 3, roots });
    const nearest = fitted.data.map((value, index) => {
      const unit = scales[Math.floor(index / 40)]! * roots[index % 40]!;
      return value === 0 ? 0 : unit * (2 * Math.min(7, Math.max(0, Math.round((value / unit + 7) / 2))) - 7);
    });
    const least = leftBy(fitted.data);
    expect(leftBy(values.data) - least).toBeLessThan(0.7 * (leftBy(nearest) - least));
  });

  it('never stand where there was none, and survive atoms that are not used and values of 0', async () => {
    const { fitted, system, roots } = await rounding(6, 11, 4, 30);
    fitted.data.fill(0, 11, 22);
    const kept = { ...fitted, data: fitted.data.map(value => (Math.abs(value) < 0.2 && value !== 0 ? 1e-300 : value)) };
    const { values, codes, scales } = await roundInMetric(kept, system, { bits: 3, roots });
    expect([...values.data].map(value => value !== 0)).toEqual([...kept.data].map(value => value !== 0));
    expect(codes.length).toBe(kept.data.filter(value => value !== 0).length);
    expect(scales[1]).toBe(0);
  });

  it('come back exactly where they lie on a grid', async () => {
    const { system, roots, fitted } = await rounding(9, 10, 5, 50);
    const data = fitted.data.map((value, index) => {
      const level = index % 10 === 0 ? 7 : 2 * Math.min(7, Math.max(0, Math.round(2 * value + 3.5))) - 7;
      return 0.25 * level * roots[index % 10]!;
    });
    const exact = toFloat64({ ...fitted, data: Float32Array.from(data) });
    exact.data.set(data);
    const image = await gemm(await gemm(system.atomGram, exact), system.correlations);
    const { values } = await roundInMetric(exact, { ...system, products: image }, { bits: 3, roots });
    for (const [index, value] of data.entries()) expect(values.data[index]).toBeCloseTo(value, 10);
  });
});
