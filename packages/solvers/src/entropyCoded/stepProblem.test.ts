import { gemm, type Matrix } from '@quern/linalg';
import { expect, it } from 'vitest';
import { randomActivations, randomWeight, statisticsOf } from '../testData.ts';
import { stepProblem } from './stepProblem.ts';

function doubled(matrix: Matrix<Float32Array>): Matrix<Float64Array> {
  return { ...matrix, data: Float64Array.from(matrix.data) };
}

it('corrects half of what a weight can undo', async () => {
  const inputs = 24;
  const original = randomActivations(200, inputs);
  const gain = (input: number): number => 0.5 + (input % 5) / 2;
  const drifted = { ...original, data: original.data.map((value, at) => value * gain(at % inputs)) };
  const crossGram = await gemm(doubled(original), doubled(drifted), { transposeA: true });
  const weight = randomWeight(10, inputs, 3, 0.1);
  const { targetOf } = await stepProblem({ ...statisticsOf(drifted), crossGram }, 1e-6);
  const found = (await targetOf(weight)).data;
  // The whole correction divides by the gain.
  const expected = weight.data.map((value, at) => (value + value / gain(at % inputs)) / 2);
  expect([...found]).toEqual([...expected].map(value => expect.closeTo(value, 3)));
  const undrifted = await stepProblem(statisticsOf(drifted), 1e-6);
  expect(await undrifted.targetOf(weight)).toBe(weight);
});
