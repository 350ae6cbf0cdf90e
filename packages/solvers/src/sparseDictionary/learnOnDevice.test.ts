import { chooseEngine, gemm, type Matrix } from '@quern/linalg';
import { afterEach, describe, expect, it } from 'vitest';
import { toFloat32 } from '../lowRank/toFloat32.ts';
import { randomActivations, statisticsOf } from '../testData.ts';
import type { DictionarySize } from './dictionarySize.ts';
import { keepLargestOfRows } from './keepLargestOfRows.ts';
import { leadingDirections } from './leadingDirections.ts';
import { LEARNING, type LearningSettings, learnDictionary } from './learnDictionary.ts';
import { learnOutputAtoms } from './learnOutputAtoms.ts';
import { outputLearning, outputProblem } from './outputProblem.ts';
import { sampleAtoms } from './sampleAtoms.ts';
import { squaredDistance, wide } from './testCodes.ts';

const accelerator = { device: 'cpu', lock: new Int32Array(new SharedArrayBuffer(4)), leastFlops: 0 } as const;
afterEach(() => chooseEngine());

async function learnBoth(
  target: Matrix<Float64Array>,
  size: DictionarySize,
  sweeps: number,
  settings?: LearningSettings,
) {
  const problem = { target: toFloat32(target), directions: toFloat32(await leadingDirections(target, size.atomCount)) };
  const learn = () => learnDictionary(problem, size, sweeps, settings);
  await chooseEngine();
  const plain = await learn();
  await chooseEngine({ accelerator });
  return { plain, sent: await learn() };
}

const nonzeros = ({ data }: Matrix): number => data.filter(value => value !== 0).length;

/** Columns of falling size, as whitened weights have them. */
function falling(rows: number, columns: number, seed: number): Matrix<Float64Array> {
  const matrix = wide(rows, columns, seed);
  for (let index = 0; index < matrix.data.length; index++) matrix.data[index]! *= 50 ** (-(index % columns) / columns);
  return matrix;
}

describe('sweeps as a graph', () => {
  it.each([
    ['more outputs than inputs', 160, 96, { atomCount: 60, nonzeroCount: 160 * 20 }, 20],
    ['fewer outputs', 64, 120, { atomCount: 30, nonzeroCount: 64 * 12 }, 14],
    ['no coefficient is 0 in the end', 60, 40, { atomCount: 10, nonzeroCount: 600 }, 6],
    ['one sweep, which is done here', 60, 40, { atomCount: 20, nonzeroCount: 300 }, 1],
  ])('leave about as much over, with exactly as many nonzeros: %s', async (_, rows, columns, size, sweeps) => {
    const target = falling(rows, columns, 5);
    const { plain, sent } = await learnBoth(target, size, sweeps);
    expect(nonzeros(sent.coefficients)).toBe(size.nonzeroCount);
    expect(Math.abs(Math.sqrt(sent.objectives.at(-1)! / plain.objectives.at(-1)!) - 1)).toBeLessThan(0.02);
    const energy = target.data.reduce((sum, value) => sum + value * value, 0);
    const left = await squaredDistance(target, sent.coefficients, sent.atoms);
    expect(left / energy / sent.objectives.at(-1)!).toBeCloseTo(1, 3);
    expect(sent.objectives[0]! / plain.objectives[0]!).toBeCloseTo(1, 3);
    const norms = await gemm(sent.atoms, sent.atoms, { transposeB: true });
    for (let atom = 0; atom < size.atomCount; atom++) {
      expect(norms.data[atom * (size.atomCount + 1)]).toBeCloseTo(1, 5);
    }
  });

  it('find planted atoms, every one', async () => {
    const planted = sampleAtoms(wide(12, 24, 71), 12, 1);
    const coefficients = wide(1500, 12, 72);
    keepLargestOfRows(coefficients, 1500 * 3);
    const target = await gemm(coefficients, planted);
    const { sent } = await learnBoth(target, { atomCount: 12, nonzeroCount: 4500 }, 80);
    expect(sent.objectives.at(-1)).toBeLessThan(1e-3);
    const overlaps = await gemm(planted, sent.atoms, { transposeB: true });
    for (let atom = 0; atom < 12; atom++) {
      expect(Math.max(...overlaps.data.subarray(atom * 12, atom * 12 + 12).map(Math.abs))).toBeGreaterThan(0.99);
    }
  });

  it('end as early, after one more sweep that is done here', async () => {
    // Once all nonzeros are there nothing is left to be found.
    const { plain, sent } = await learnBoth(falling(60, 40, 8), { atomCount: 10, nonzeroCount: 600 }, 60);
    for (const { stoppedBy, objectives, coefficients } of [plain, sent]) {
      expect(stoppedBy).toBe('tolerance');
      expect(objectives.length).toBeLessThan(60);
      expect(nonzeros(coefficients)).toBe(600);
    }
  });

  it('do not place nonzeros output by output: that is done here', async () => {
    const size = { atomCount: 20, nonzeroCount: 400 };
    const { plain, sent } = await learnBoth(falling(60, 40, 9), size, 5, { ...LEARNING, placement: 'output' });
    expect(sent.objectives.length).toBe(plain.objectives.length);
    expect(sent.objectives.at(-1)! / plain.objectives.at(-1)!).toBeCloseTo(1, 2);
  });
});

describe('sweeps of atoms over outputs as graphs', () => {
  it.each([
    ['one weight', [48], 20, { atomCount: 16, nonzeroCount: 320 }, 25],
    ['two with atoms in common', [40, 70], 24, { atomCount: 18, nonzeroCount: 800 }, 15],
    ['one sweep, which is done here', [30], 12, { atomCount: 8, nonzeroCount: 80 }, 1],
  ])('leave about as much over, with exactly as many nonzeros: %s', async (_, widths, outputs, size, sweeps) => {
    const sites = widths.map((inputs, index) => ({
      weight: falling(outputs, inputs, 11 + index),
      gram: statisticsOf(randomActivations(3 * inputs, inputs, 21 + index)).inputGram,
    }));
    const problem = await outputProblem(sites);
    const learning = await outputLearning(problem);
    await chooseEngine();
    const plain = await learnOutputAtoms(learning, size, sweeps);
    await chooseEngine({ accelerator });
    const sent = await learnOutputAtoms(learning, size, sweeps);
    expect(sent.coefficients.data.filter(value => value !== 0).length).toBe(size.nonzeroCount);
    expect(sent.objectives[0]! / plain.objectives[0]!).toBeCloseTo(1, 3);
    expect(Math.abs(Math.sqrt(sent.objectives.at(-1)! / plain.objectives.at(-1)!) - 1)).toBeLessThan(0.02);
    // What is said to be left over is.
    let left = 0;
    for (const [index, { target, correlations }] of problem.segments.entries()) {
      const product = await gemm(sent.atoms, sent.coefficients.parts[index]!, { transposeA: true });
      const rest = { ...target, data: target.data.map((value, at) => value - product.data[at]!) };
      const seen = await gemm(rest, correlations);
      left += seen.data.reduce((sum, value, at) => sum + value * rest.data[at]!, 0);
    }
    expect(left / problem.energy / sent.objectives.at(-1)!).toBeCloseTo(1, 2);
  });
});
