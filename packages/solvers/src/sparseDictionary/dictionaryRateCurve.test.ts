import { expect, it } from 'vitest';
import { randomActivations, randomWeight, statisticsOf } from '../testData.ts';
import { dictionary } from './dictionary.ts';
import { dictionaryRateCurve } from './dictionaryRateCurve.ts';

const INPUTS = 32;
const statistics = statisticsOf(randomActivations(200, INPUTS, 3));

it.each([
  { outputs: [48, 16], bits: 3 },
  // Atoms over outputs.
  { outputs: [24], bits: 4 },
])('on grids a curve knows what rounding leaves over: %j', async ({ outputs, bits }) => {
  const sites = outputs.map((rows, index) => ({ weight: randomWeight(rows, INPUTS, 5 + index), statistics }));
  const curve = await dictionaryRateCurve(sites, { bits });
  const elements = outputs.reduce((sum, rows) => sum + rows * INPUTS, 0);
  const point = curve.find(one => Math.abs(one.bits - 4) < 16 / elements);
  const [result] = await dictionary(sites, { ratio: 0.75, bits, sweeps: 10 });
  const { objectives } = result!.convergence!;
  expect(point!.loss).toBeCloseTo(objectives.at(-1)!, 12);
  expect(point!.loss).toBeGreaterThan(objectives.at(-2)!);
});
