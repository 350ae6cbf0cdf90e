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

/** The steps in plain loops over one group, in float64. */
function plainHqq(values: readonly number[], bits: number, norm: number, { stretch = 2, iterations = 10 } = {}) {
  const top = 2 ** bits - 1;
  let scale = Math.f16round((Math.max(0, ...values) - Math.min(0, ...values)) / top);
  let zeroPoint = Math.floor(-Math.min(0, ...values) / scale + 0.5);
  const codesOf = () => values.map(w => Math.max(0, Math.min(top, Math.floor(w / scale + zeroPoint + 0.5))));
  const cost = () => codesOf().reduce((sum, q, i) => sum + Math.abs(values[i]! - scale * (q - zeroPoint)) ** norm, 0);
  let best = { scale, zeroPoint, cost: Number.POSITIVE_INFINITY };
  for (let iteration = 0, beta = 10; ; iteration++, beta *= 1.01) {
    const q = codesOf();
    const shrunk = values.map((w, i) => {
      const e = w / scale - (q[i]! - zeroPoint);
      return e === 0 ? 0 : Math.sign(e) * Math.max(0, Math.abs(e) - Math.abs(e) ** (norm - 1) / beta) * scale;
    });
    const mean = values.reduce((sum, w, i) => sum + q[i]! - (w - shrunk[i]!) / scale, 0) / values.length;
    const next = Math.max(0, Math.min(top, Math.floor(mean + 0.5)));
    const steps = q.map(code => code - next);
    const above = steps.reduce((sum, d, i) => sum + (values[i]! - shrunk[i]!) * d, 0);
    const below = steps.reduce((sum, d) => sum + d * d, 0);
    const own = { scale, zeroPoint, cost: cost() };
    if (own.cost < best.cost) best = own;
    if (iteration === iterations) return best;
    scale = Math.f16round(own.scale + stretch * (above / below - own.scale));
    zeroPoint = next;
    if (scale === own.scale && zeroPoint === own.zeroPoint) return best;
  }
}

it.each([
  [2, 0.7],
  [3, 0.7],
  [4, 0.7],
  [4, 1],
  [3, 2],
])('is the plain iteration, group by group: %i bits, norm %d', async (bits, norm) => {
  const weight = heavyTailed(6, 64, 9);
  const result = hqq(weight, { bits, groupSize: 16, norm });
  const shipped = await costs(weight, result, norm);
  for (let group = 0; group < 24; group++) {
    const { scale, zeroPoint, cost } = plainHqq([...weight.data.subarray(16 * group, 16 * group + 16)], bits, norm);
    expect(result.zeroPoints![group]).toBe(zeroPoint);
    expect(result.scales[group]! / scale).toBeCloseTo(1, 2);
    expect(Math.abs(shipped[group]! / cost - 1)).toBeLessThan(2e-3);
  }
});

it.each([2, 3, 4])('10 steps are as good as 20 of half the length: %i bits', async bits => {
  const even = randomWeight(24, 64, 9);
  const weight = { ...even, data: even.data.map(value => Math.sign(value) * Math.log(1 - Math.abs(value))) };
  const shipped = await costs(weight, hqq(weight, { bits, groupSize: 32 }), 0.7);
  const plain = shipped.map((_, group) => {
    const values = weight.data.subarray(32 * group, 32 * group + 32);
    return plainHqq([...values], bits, 0.7, { stretch: 1, iterations: 20 }).cost;
  });
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  expect(sum(shipped) / sum(plain)).toBeLessThan(1.003);
});
