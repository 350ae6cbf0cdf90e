import { expect, it } from 'vitest';
import { gptq } from '../quantization/gptq.ts';
import { randomActivations, randomWeight, statisticsOf } from '../testData.ts';
import { quantizeOnSteps } from './quantizeOnSteps.ts';
import { stepProblem } from './stepProblem.ts';

const [OUTPUTS, INPUTS] = [21, 150];

/** A weight whose rows all reach from -1 to 1, so that a symmetric 8-bit grid has the step 1/128 in each. */
function evenWeight() {
  const weight = randomWeight(OUTPUTS, INPUTS, 3, 0.9);
  for (let row = 0; row < OUTPUTS; row++) weight.data[row * INPUTS + ((7 * row) % INPUTS)] = -1;
  return weight;
}

it('equals gptq on the same grid, with equal steps and no dead zone', async () => {
  const weight = evenWeight();
  const statistics = statisticsOf(randomActivations(400, INPUTS));
  const expected = await gptq(weight, statistics, { bits: 8, groupSize: 'channel' });
  expect(new Set(expected.scales)).toEqual(new Set([1 / 128]));
  const { blocks } = await stepProblem(statistics, 0.01);
  const steps = new Float64Array(INPUTS).fill(1 / 128);
  const { codes } = await quantizeOnSteps(weight, { blocks, steps, bits: 8, deadZone: 0 });
  expect(codes).toEqual(expected.codes);
});

it('loses tr(E H E^T), and treats every output by itself', async () => {
  const weight = evenWeight();
  const { blocks, steps, hessian } = await stepProblem(statisticsOf(randomActivations(400, INPUTS)), 0.01);
  const grid = { blocks, steps: steps.map(step => 0.4 * step), bits: 4, deadZone: 0.1 } as const;
  const { codes, loss } = await quantizeOnSteps(weight, grid);
  let expected = 0;
  for (let row = 0; row < OUTPUTS; row++) {
    const error = Array.from(
      { length: INPUTS },
      (_, input) => weight.data[row * INPUTS + input]! - grid.steps[input]! * (codes[row * INPUTS + input]! - 8),
    );
    for (let i = 0; i < INPUTS; i++)
      for (let j = 0; j < INPUTS; j++) expected += error[i]! * hessian.data[i * INPUTS + j]! * error[j]!;
  }
  expect(loss / expected).toBeCloseTo(1, 6);
  const part = { rows: 4, columns: INPUTS, data: weight.data.slice(5 * INPUTS, 9 * INPUTS) };
  expect((await quantizeOnSteps(part, grid)).codes).toEqual(codes.slice(5 * INPUTS, 9 * INPUTS));
});
