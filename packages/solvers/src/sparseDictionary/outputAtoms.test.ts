import { maskedStorageBits, reconstruct } from '@quern/core';
import { gemm, type Matrix, symmetricEigen, transpose } from '@quern/linalg';
import { Matrix as NaiveMatrix, solve as naiveSolve } from 'ml-matrix';
import { describe, expect, it } from 'vitest';
import { toFloat32 } from '../lowRank/toFloat32.ts';
import { toFloat64 } from '../lowRank/toFloat64.ts';
import { relativeOutputError } from '../relativeOutputError.ts';
import { solvers } from '../solvers.ts';
import { randomActivations, randomWeight, statisticsOf } from '../testData.ts';
import { compot } from './compot.ts';
import { dictionary } from './dictionary.ts';
import { fitInMetric } from './fitInMetric.ts';
import { keepLargest } from './keepLargest.ts';
import { learnOutputAtoms } from './learnOutputAtoms.ts';
import { moveOutputCoefficients } from './moveOutputCoefficients.ts';
import { type OutputSegment, outputLearning, outputProblem } from './outputProblem.ts';
import { sampleAtoms } from './sampleAtoms.ts';
import { sideBySide } from './sideBySide.ts';
import { wide } from './testCodes.ts';

const [OUTPUTS, INPUTS] = [12, 30];
const statistics = statisticsOf(randomActivations(200, INPUTS, 3));
const weight = randomWeight(OUTPUTS, INPUTS, 5);

const problem = () => outputProblem([{ weight: toFloat64(weight), gram: statistics.inputGram }]);

/** tr((Y - A^T C) R (Y - A^T C)^T), entry by entry. */
function objectiveOf(
  target: Matrix<Float64Array>,
  correlations: Matrix<Float64Array>,
  code: { readonly atoms: Matrix; readonly coefficients: Matrix },
): number {
  const { rows, columns } = target;
  const rest = Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_, column) => {
      let value = target.data[row * columns + column]!;
      for (let atom = 0; atom < code.atoms.rows; atom++) {
        value -= code.atoms.data[atom * rows + row]! * code.coefficients.data[atom * columns + column]!;
      }
      return value;
    }),
  );
  let sum = 0;
  for (const line of rest) {
    for (let one = 0; one < columns; one++) {
      for (let other = 0; other < columns; other++) {
        sum += line[one]! * correlations.data[one * columns + other]! * line[other]!;
      }
    }
  }
  return sum;
}

describe('atoms over outputs', () => {
  it('leave what they say, with as many nonzeros as were asked for', async () => {
    const others = statisticsOf(randomActivations(200, 17, 4));
    const given = await outputProblem([
      { weight: toFloat64(weight), gram: statistics.inputGram },
      { weight: toFloat64(randomWeight(OUTPUTS, 17, 6)), gram: others.inputGram },
    ]);
    const size = { atomCount: 8, nonzeroCount: 140 };
    const code = await learnOutputAtoms(await outputLearning(given), size, 20);
    let left = 0;
    let energy = 0;
    const none = { ...code.atoms, data: new Float64Array(code.atoms.data.length) };
    for (const [index, { target, correlations }] of given.segments.entries()) {
      const coefficients = code.coefficients.parts[index]!;
      left += objectiveOf(target, correlations, { atoms: code.atoms, coefficients });
      energy += objectiveOf(target, correlations, { atoms: none, coefficients });
    }
    expect(given.energy / energy).toBeCloseTo(1, 8);
    expect(left / energy / code.objectives.at(-1)!).toBeCloseTo(1, 3);
    expect(code.objectives.at(-1)).toBeLessThan(code.objectives[0]!);
    expect(code.coefficients.data.filter(value => value !== 0).length).toBeLessThanOrEqual(140);
    for (let atom = 0; atom < 8; atom++) {
      expect(Math.hypot(...code.atoms.data.subarray(atom * OUTPUTS, (atom + 1) * OUTPUTS))).toBeCloseTo(1, 5);
    }
  });

  it('are found where they were planted', async () => {
    const [atomCount, outputs, inputs] = [8, 16, 400];
    const planted = sampleAtoms(wide(atomCount, outputs, 71), atomCount, 1);
    const coefficients = wide(atomCount, inputs, 72);
    keepLargest(coefficients.data, 2 * inputs);
    const target = await gemm(planted, coefficients, { transposeA: true });
    const correlations = identity(inputs);
    const energy = target.data.reduce((sum, value) => sum + value * value, 0);
    const { vectors } = await symmetricEigen(await gemm(target, target, { transposeB: true }));
    const segment = {
      ...{ target: toFloat32(target), correlations: toFloat32(correlations), pull: toFloat32(target) },
      ...{ directions: toFloat32(correlations), spectrum: new Float64Array(inputs).fill(1) },
    };
    const learning = { segments: [segment], energy, outputs: toFloat32(vectors) };
    const { atoms, objectives } = await learnOutputAtoms(learning, { atomCount, nonzeroCount: 2 * inputs }, 80);
    expect(objectives.at(-1)).toBeLessThan(1e-3);
    const overlaps = await gemm(planted, atoms, { transposeB: true });
    for (let atom = 0; atom < atomCount; atom++) {
      const own = overlaps.data.subarray(atom * atomCount, (atom + 1) * atomCount);
      expect(Math.max(...own.map(Math.abs))).toBeGreaterThan(0.99);
    }
  });

  it('move coefficients twice the way to the point that elimination finds', async () => {
    const given = await problem();
    const { segments } = await outputLearning(given);
    const [{ pull: products, correlations }] = given.segments as [OutputSegment];
    const [atomCount, proximity] = [5, 0.3];
    const atoms = toFloat32(sampleAtoms(wide(atomCount, OUTPUTS, 8), atomCount, 1));
    const old = toFloat32(wide(atomCount, INPUTS, 9));
    const coefficients = sideBySide(old.data, atomCount, [INPUTS]);
    const moved = sideBySide(new Float32Array(old.data.length), atomCount, [INPUTS]);
    await moveOutputCoefficients({ atoms, coefficients }, { segments, proximity }, moved);
    // (A A^T (x) R + p I) vec(B) = vec(A Y R + p C)
    const gram = await gemm(toFloat64(atoms), toFloat64(atoms), { transposeB: true });
    const pull = await gemm(toFloat64(atoms), products);
    const size = atomCount * INPUTS;
    const system = NaiveMatrix.zeros(size, size);
    for (let one = 0; one < size; one++) {
      for (let other = 0; other < size; other++) {
        const [atom, input] = [Math.floor(one / INPUTS), one % INPUTS];
        const own = gram.data[atom * atomCount + Math.floor(other / INPUTS)]!;
        const value = own * correlations.data[input * INPUTS + (other % INPUTS)]!;
        system.set(one, other, value + (one === other ? proximity : 0));
      }
    }
    const right = NaiveMatrix.columnVector([...pull.data].map((value, index) => value + proximity * old.data[index]!));
    const nearest = naiveSolve(system, right).to1DArray();
    const scale = Math.max(...nearest.map(Math.abs));
    for (const [index, value] of nearest.entries()) {
      const expected = old.data[index]! + 2 * (value - old.data[index]!);
      expect(Math.abs(moved.data[index]! - expected)).toBeLessThan(1e-3 * scale);
    }
  });

  it('have coefficients fitted to them as elimination on the support does, and never worse', async () => {
    const { segments } = await problem();
    const [{ target, correlations, pull }] = segments as [OutputSegment];
    const [atomCount, nonzeroCount] = [5, 40];
    const atoms = sampleAtoms(wide(atomCount, OUTPUTS, 8), atomCount, 1);
    const start = wide(atomCount, INPUTS, 9);
    keepLargest(start.data, nonzeroCount);
    const system = {
      atomGram: await gemm(atoms, atoms, { transposeB: true }),
      products: await gemm(atoms, pull),
      correlations,
    };
    let before = objectiveOf(target, correlations, { atoms, coefficients: start });
    for (const steps of [1, 3, 10, 400]) {
      const fitted = await fitInMetric(start, system, steps);
      expect(fitted.data.every((value, index) => value === 0 || start.data[index] !== 0)).toBe(true);
      const after = objectiveOf(target, correlations, { atoms, coefficients: fitted });
      expect(after).toBeLessThanOrEqual(before * (1 + 1e-12));
      before = after;
    }
    const places = [...start.data.keys()].filter(index => start.data[index] !== 0);
    const matrix = NaiveMatrix.zeros(nonzeroCount, nonzeroCount);
    for (const [row, one] of places.entries()) {
      for (const [column, other] of places.entries()) {
        const own = system.atomGram.data[Math.floor(one / INPUTS) * atomCount + Math.floor(other / INPUTS)]!;
        matrix.set(row, column, own * correlations.data[(one % INPUTS) * INPUTS + (other % INPUTS)]!);
      }
    }
    const right = NaiveMatrix.columnVector(places.map(index => system.products.data[index]!));
    const exact = { rows: atomCount, columns: INPUTS, data: new Float64Array(atomCount * INPUTS) };
    for (const [index, value] of naiveSolve(matrix, right).to1DArray().entries()) exact.data[places[index]!] = value;
    const least = objectiveOf(target, correlations, { atoms, coefficients: exact });
    expect(before / least).toBeCloseTo(1, 6);
  });

  it('are what a weight with fewer outputs than inputs gets, for less error than atoms over inputs', async () => {
    const options = { ratio: 0.3, sweeps: 20 };
    const [result] = await dictionary([{ weight, statistics }], options);
    expect([result!.left.kind, result!.right.kind]).toEqual(['dense', 'sparse']);
    const error = await relativeOutputError(weight, await reconstruct(result!), statistics.inputGram);
    expect(Math.sqrt(result!.convergence!.objectives.at(-1)!) / error).toBeCloseTo(1, 3);
    const wide = { weight: transpose(weight), statistics: statisticsOf(randomActivations(200, OUTPUTS, 3)) };
    const [wider] = await dictionary([wide], options);
    expect([wider!.left.kind, wider!.right.kind]).toEqual(['sparse', 'dense']);
    const published = await reconstruct(await compot(weight, statistics, options));
    expect(error).toBeLessThan(await relativeOutputError(weight, published, statistics.inputGram));
  });

  it('are shared by rows where several sites together have fewer outputs than inputs', async () => {
    // Of each 112.5 or 67.5 values are left, whole ones together.
    const rows = [5, 3, 3];
    const sites = rows.map((own, index) => ({ weight: randomWeight(own, INPUTS, 20 + index), statistics }));
    const results = await dictionary(sites, { ratio: 0.25, sweeps: 10 });
    const bits = results.reduce((sum, result) => sum + maskedStorageBits(result), 0);
    const asked = rows.reduce((sum, own) => sum + 16 * Math.floor(0.75 * own * INPUTS), 0);
    expect(bits).toBe(asked);
    expect(results[1]!.right).toEqual(results[0]!.right);
    expect(results[1]!.sharedRight).toEqual(results[0]!.sharedRight);
    for (const [index, result] of results.entries()) {
      const { weight: own } = sites[index]!;
      expect(await relativeOutputError(own, await reconstruct(result), statistics.inputGram)).toBeLessThan(0.6);
    }
  });

  it('are shared by sites of several inputs, in the bits that are announced', async () => {
    const sites = [INPUTS, 17].map((inputs, index) => ({
      weight: randomWeight(OUTPUTS, inputs, 30 + index),
      statistics: statisticsOf(randomActivations(150, inputs, 40 + index)),
      inputName: String(index),
    }));
    const options = { ratio: 0.3, sweeps: 15 };
    const results = await dictionary(sites, options);
    let [stored, announced, together, apart] = [0, 0, 0, 0];
    for (const [index, result] of results.entries()) {
      const { weight: own, statistics: known } = sites[index]!;
      expect(result.left).toEqual(results[0]!.left);
      expect(result.sharedLeft).toEqual({ name: results[0]!.sharedLeft!.name, siteCount: 2 });
      const error = await relativeOutputError(own, await reconstruct(result), known.inputGram);
      const [alone] = await dictionary([sites[index]!], options);
      together += error ** 2;
      apart += (await relativeOutputError(own, await reconstruct(alone!), known.inputGram)) ** 2;
      stored += maskedStorageBits(result);
      announced += solvers.dictionary!.storageBits({ outFeatures: OUTPUTS, inFeatures: own.columns }, options);
    }
    expect(stored).toBe(announced);
    expect(together).toBeLessThan(apart);
  });
});

function identity(size: number): Matrix<Float64Array> {
  const matrix = { rows: size, columns: size, data: new Float64Array(size * size) };
  for (let index = 0; index < matrix.data.length; index += size + 1) matrix.data[index] = 1;
  return matrix;
}
