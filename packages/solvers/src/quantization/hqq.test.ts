import { type QuantizedWeight, reconstruct } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import { describe, expect, it } from 'vitest';
import { randomWeight } from '../testData.ts';
import { hqq } from './hqq.ts';
import { roundToNearest } from './roundToNearest.ts';

/** Mostly small values, and a few large ones. */
function heavyTailed(rows: number, columns: number, seed: number): Matrix<Float32Array> {
  const weight = randomWeight(rows, columns, seed);
  return { ...weight, data: weight.data.map(value => value ** 5) };
}

/** sum |w - w'|^norm of each group. */
async function costs(weight: Matrix<Float32Array>, result: QuantizedWeight, norm: number): Promise<number[]> {
  const dense = await reconstruct(result);
  const { groupSize } = result;
  const groupCount = Math.ceil(weight.columns / groupSize);
  const sums = new Array<number>(weight.rows * groupCount).fill(0);
  for (const [index, value] of weight.data.entries()) {
    const row = Math.floor(index / weight.columns);
    const group = Math.floor((index % weight.columns) / groupSize);
    sums[row * groupCount + group]! += Math.abs(value - dense.data[index]!) ** norm;
  }
  return sums;
}

describe.each([
  { bits: 2, groupSize: 32, symmetric: false },
  { bits: 3, groupSize: 16, symmetric: true },
  { bits: 4, groupSize: 64, symmetric: false },
  { bits: 8, groupSize: 'channel', symmetric: false },
] as const)('hqq %o', options => {
  const weight = heavyTailed(12, 100, 3);

  it.each([0.7, 1, 2])(
    'keeps the best grid that it measured: no group is worse than without it, norm %d',
    async norm => {
      const before = await costs(weight, roundToNearest(weight, options), norm);
      const after = await costs(weight, hqq(weight, { ...options, norm }), norm);
      for (const [group, cost] of after.entries()) expect(cost).toBeLessThanOrEqual(before[group]! * 1.001);
      const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
      if (options.bits < 8) expect(sum(after)).toBeLessThan(sum(before));
    },
  );

  it('more iterations are never worse', async () => {
    let before = await costs(weight, hqq(weight, { ...options, iterations: 1 }), 0.7);
    for (const iterations of [2, 5, 20]) {
      const after = await costs(weight, hqq(weight, { ...options, iterations }), 0.7);
      for (const [group, cost] of after.entries()) expect(cost).toBeLessThanOrEqual(before[group]! * 1.001);
      before = after;
    }
  });

  it('a weight twice as large gives the same codes', () => {
    const double = { ...weight, data: weight.data.map(value => 2 * value) };
    const [one, two] = [hqq(weight, options), hqq(double, options)];
    expect(two.codes).toEqual(one.codes);
    expect(two.scales).toEqual(one.scales.map(scale => 2 * scale));
  });

  it('ships integers and halves', () => {
    const { scales, zeroPoints, scaleType } = hqq(weight, options);
    expect(scaleType).toBe('float16');
    expect(scales).toEqual(scales.map(Math.f16round));
    expect(zeroPoints === null).toBe(options.symmetric);
  });
});

/** The steps as they are written down, in plain loops over one group, all in units of the first scale. */
function plainHqq(values: readonly number[], bits: number, norm: number): { scale: number; zeroPoint: number } {
  const top = 2 ** bits - 1;
  let scale = Math.f16round((Math.max(0, ...values) - Math.min(0, ...values)) / top);
  let zeroPoint = Math.floor(-Math.min(0, ...values) / scale + 0.5);
  const codesOf = () => values.map(w => Math.max(0, Math.min(top, Math.floor(w / scale + zeroPoint + 0.5))));
  const cost = () => codesOf().reduce((sum, q, i) => sum + Math.abs(values[i]! - scale * (q - zeroPoint)) ** norm, 0);
  let best = { scale, zeroPoint, cost: cost() };
  for (let iteration = 0, beta = 10; iteration < 20; iteration++, beta *= 1.01) {
    const q = codesOf();
    const shrunk = values.map((w, i) => {
      const e = w / scale - (q[i]! - zeroPoint);
      return e === 0 ? 0 : Math.sign(e) * Math.max(0, Math.abs(e) - Math.abs(e) ** (norm - 1) / beta) * scale;
    });
    const mean = values.reduce((sum, w, i) => sum + q[i]! - (w - shrunk[i]!) / scale, 0) / values.length;
    zeroPoint = Math.max(0, Math.min(top, Math.floor(mean + 0.5)));
    const steps = q.map(code => code - zeroPoint);
    const above = steps.reduce((sum, d, i) => sum + (values[i]! - shrunk[i]!) * d, 0);
    const below = steps.reduce((sum, d) => sum + d * d, 0);
    scale = Math.f16round(above / below);
    const own = cost();
    if (own < best.cost) best = { scale, zeroPoint, cost: own };
  }
  return best;
}

it.each([2, 3, 4])('is the plain iteration, group by group: %i bits', bits => {
  const weight = heavyTailed(6, 64, 9);
  const { scales, zeroPoints } = hqq(weight, { bits, groupSize: 16 });
  for (let group = 0; group < 24; group++) {
    const expected = plainHqq([...weight.data.subarray(16 * group, 16 * group + 16)], bits, 0.7);
    expect(zeroPoints![group]).toBe(expected.zeroPoint);
    expect(scales[group]! / expected.scale).toBeCloseTo(1, 2);
  }
});
