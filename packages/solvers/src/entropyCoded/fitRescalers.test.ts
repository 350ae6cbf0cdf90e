import type { Matrix } from '@quern/linalg';
import { expect, it } from 'vitest';
import { randomActivations, randomWeight, statisticsOf } from '../testData.ts';
import { type CodedSite, fitRescalers, type Rescalers } from './fitRescalers.ts';

const INPUTS = 19;
const hessian = statisticsOf(randomActivations(200, INPUTS)).inputGram;

function codesOf(rows: number, seed: number): Matrix<Float64Array> {
  const { data } = randomWeight(rows, INPUTS, seed, 4);
  return { rows, columns: INPUTS, data: Float64Array.from(data, Math.round) };
}

/** Sum over sites of tr(E H E^T), by plain loops. */
function objective(sites: readonly CodedSite[], { rowScales, steps }: Rescalers): number {
  let sum = 0;
  for (const [index, { target, codes }] of sites.entries()) {
    for (let row = 0; row < target.rows; row++) {
      const error = Array.from({ length: INPUTS }, (_, input) => {
        const at = row * INPUTS + input;
        return target.data[at]! - rowScales[index]![row]! * codes.data[at]! * steps[input]!;
      });
      for (let i = 0; i < INPUTS; i++)
        for (let j = 0; j < INPUTS; j++) sum += error[i]! * hessian.data[i * INPUTS + j]! * error[j]!;
    }
  }
  return sum;
}

it('never raises the objective, over several sites at once', async () => {
  const sites = [12, 5].map((rows, index) => {
    const codes = codesOf(rows, 3 + index);
    const noise = randomWeight(rows, INPUTS, 9 + index, 0.05);
    const data = noise.data.map((value, at) => value + 0.1 * codes.data[at]!);
    return { codes, target: { rows, columns: INPUTS, data } };
  });
  const start = {
    rowScales: sites.map(({ codes }) => new Float64Array(codes.rows).fill(0.1)),
    steps: new Float64Array(INPUTS).fill(1),
  };
  const fitted = await fitRescalers(sites, hessian, start);
  expect(objective(sites, fitted)).toBeLessThan(0.97 * objective(sites, start));
  expect(fitted.steps.every(step => step > 0)).toBe(true);
});

it('finds planted steps and row scales, and gives rows without codes scale 0', async () => {
  const codes = codesOf(30, 4);
  codes.data.fill(0, 3 * INPUTS, 4 * INPUTS);
  const rowScales = Float64Array.from({ length: 30 }, (_, row) => 0.1 + 0.002 * row);
  const steps = Float64Array.from({ length: INPUTS }, (_, input) => 0.8 + 0.03 * input);
  const data = Float32Array.from(
    codes.data,
    (code, at) => rowScales[Math.floor(at / INPUTS)]! * code * steps[at % INPUTS]!,
  );
  const site = { codes, target: { rows: 30, columns: INPUTS, data } };
  const start = { rowScales: [new Float64Array(30).fill(0.13)], steps: new Float64Array(INPUTS).fill(1.05) };
  const fitted = await fitRescalers([site], hessian, start);
  expect(fitted.rowScales[0]![3]).toBe(0);
  const size = objective([site], { rowScales: [new Float64Array(30)], steps });
  expect(objective([site], fitted)).toBeLessThan(1e-3 * size);
  expect(objective([site], fitted)).toBeLessThan(0.02 * objective([site], start));
});
