import { describe, expect, it } from 'vitest';
import { createRowQuantizer } from './createRowQuantizer.ts';
import { randomMatrix } from './plainLoops.ts';

const SIZES = [1, 2, 3, 5, 7, 8, 17, 31, 33, 64];

describe('createRowQuantizer', () => {
  for (const groupSize of [1, 3, 4, 16, 32, 64]) {
    it.each(SIZES)(`equals plain loops with groups of ${groupSize} in %i columns`, columns => {
      const rows = 3;
      const quantizer = createRowQuantizer(columns, groupSize);
      const values = Float32Array.from(randomMatrix(rows, columns, columns).data);
      const groups = Math.ceil(columns / groupSize);
      quantizer.values.set(values);
      quantizer.measure(rows);
      for (let group = 0; group < rows * groups; group++) {
        const start = Math.floor(group / groups) * columns + (group % groups) * groupSize;
        const end = Math.min(start + groupSize, (Math.floor(group / groups) + 1) * columns);
        const members = [0, ...values.subarray(start, end)];
        expect([...quantizer.ranges.subarray(2 * group, 2 * group + 2)]).toEqual([
          Math.min(...members) + 0,
          Math.max(...members),
        ]);
        quantizer.scales[group] = 1 / (3 + group);
        quantizer.zeroPoints[group] = 4 + (group % 3);
      }
      quantizer.quantize(rows, 3);
      const expected = Array.from(values, (value, index) => {
        const group = Math.floor(index / columns) * groups + Math.floor((index % columns) / groupSize);
        const inverse = 1 / Math.fround(1 / (3 + group));
        return Math.max(0, Math.min(7, Math.floor(value * inverse + 4.5 + (group % 3))));
      });
      expect([...quantizer.codes.subarray(0, values.length)]).toEqual(expected);
    });
  }

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'marks the range of a group with %d',
    value => {
      for (const index of [32, 44, 49]) {
        const quantizer = createRowQuantizer(50, 16);
        quantizer.values.set(new Float32Array(50).fill(1));
        quantizer.values[index] = value;
        quantizer.measure(1);
        const marked = [...quantizer.ranges.subarray(0, 8)].map(Number.isNaN);
        const group = Math.floor(index / 16);
        expect(marked).toEqual([0, 1, 2, 3].flatMap(each => [each === group, each === group]));
      }
    },
  );

  it('marks no group whose values are finite, though their sum is not', () => {
    const quantizer = createRowQuantizer(40, 32);
    quantizer.values.fill(3e38, 0, 40);
    quantizer.values[7] = -1;
    quantizer.measure(1);
    const most = Math.fround(3e38);
    expect([...quantizer.ranges.subarray(0, 4)]).toEqual([-1, most, 0, most]);
  });

  it('covers 8 bits and clamps far values', () => {
    const quantizer = createRowQuantizer(9, 16);
    quantizer.values.set([0, 1, 127, 128, 254, 255, 3e38, -3e38, 254.999]);
    quantizer.scales[0] = 1;
    quantizer.zeroPoints[0] = -0.5;
    quantizer.quantize(1, 8);
    expect([...quantizer.codes.subarray(0, 9)]).toEqual([0, 1, 127, 128, 254, 255, 255, 0, 254]);
  });

  it.each([2, 4, 8])('decides in float64 beside the boundaries between codes: %i bits', bits => {
    const top = 2 ** bits - 1;
    const columns = 512;
    for (const [index, scale] of [0.37, -0.0123, 2 ** -140, 1e36].entries()) {
      const quantizer = createRowQuantizer(columns, 32);
      const zeroPoint = [0, top, 2 ** (bits - 1), 1][index]!;
      const groups = quantizer.groupsPerRow;
      quantizer.scales.fill(scale, 0, groups);
      quantizer.zeroPoints.fill(zeroPoint, 0, groups);
      const held = quantizer.scales[0]!;
      const near = new Float32Array(1);
      const words = new Int32Array(near.buffer);
      for (let at = 0; at < columns; at++) {
        // The float32 next to a boundary, and those a step or two beside it; one a group, so that its neighbours go the quick way.
        const code = at % 32 === 5 ? Math.floor(at / 32) % (top + 1) : 0.25 + (at % (top + 1));
        near[0] = (code + 0.5 - zeroPoint) * held;
        words[0]! += (at % 5) - 2;
        quantizer.values[at] = near[0]!;
      }
      quantizer.quantize(1, bits);
      const expected = Array.from(quantizer.values.subarray(0, columns), value =>
        Math.max(0, Math.min(top, Math.floor(value * (1 / held) + zeroPoint + 0.5))),
      );
      expect([...quantizer.codes.subarray(0, columns)]).toEqual(expected);
    }
  });

  it('holds whole rows, one at least', () => {
    expect(createRowQuantizer(1000, 32)).toMatchObject({ rowCapacity: 4, groupsPerRow: 32 });
    expect(createRowQuantizer(100_000, 32)).toMatchObject({ rowCapacity: 1, groupsPerRow: 3125 });
  });
});

describe('refine', () => {
  const rule = { bits: 4, symmetric: false, scaleType: 'float32', raiseSmallScales: false, iterations: 20 } as const;
  const heavyTailed = (rows: number, columns: number) =>
    randomMatrix(rows, columns, 5).data.map(value => 0.001 + value ** 3);
  /** Grids of one matrix after some iterations. */
  const refined = (values: Float64Array, columns: number, groupSize: number, norm: number, iterations: number) => {
    const quantizer = createRowQuantizer(columns, groupSize);
    const rows = values.length / columns;
    quantizer.values.set(values);
    quantizer.measure(rows);
    quantizer.cover(rows, rule);
    quantizer.refine(rows, { ...rule, norm, iterations });
    const count = rows * quantizer.groupsPerRow;
    return { scales: quantizer.scales.slice(0, count), zeroPoints: quantizer.zeroPoints.slice(0, count) };
  };

  it.each([1, 3, 4, 31, 32, 64, 65, 200])('takes a step like plain loops: %i values', count => {
    for (const norm of [0.1, 0.5, 0.7, 1, 2]) {
      const values = Float32Array.from(heavyTailed(1, count));
      const before = refined(Float64Array.from(values), count, 256, norm, 0);
      const after = refined(Float64Array.from(values), count, 256, norm, 1);
      const expected = plainStep([...values], before.scales[0]!, before.zeroPoints[0]!, norm);
      if (expected.isBetter) {
        expect(after.scales[0]! / expected.scale).toBeCloseTo(1, 4);
        expect(after.zeroPoints[0]).toBe(expected.zeroPoint);
      } else expect(after).toEqual(before);
    }
  });

  it('gives a group the same grid wherever it lies, and whatever lies beside it', () => {
    const columns = 33;
    const values = heavyTailed(7, columns);
    const whole = refined(values, columns, 16, 0.7, 20);
    for (let row = 0; row < 7; row++) {
      const alone = refined(values.slice(row * columns, (row + 1) * columns), columns, 16, 0.7, 20);
      expect(alone.scales).toEqual(whole.scales.slice(3 * row, 3 * row + 3));
      expect(alone.zeroPoints).toEqual(whole.zeroPoints.slice(3 * row, 3 * row + 3));
    }
  });
});

/** One step from a grid, in float64, and whether it errs less than the grid, by the sum of |error|^norm. */
function plainStep(values: readonly number[], scale: number, zeroPoint: number, norm: number) {
  const codeOf = (value: number, s: number, z: number) => Math.max(0, Math.min(15, Math.floor(value / s + z + 0.5)));
  const cost = (s: number, z: number) =>
    values.reduce((sum, value) => sum + Math.abs(value - s * (codeOf(value, s, z) - z)) ** norm, 0);
  const codes = values.map(value => codeOf(value, scale, zeroPoint));
  const targets = values.map((value, index) => {
    const error = value / scale + zeroPoint - codes[index]!;
    const shrunk = Math.max(0, Math.abs(error) - Math.max(1e-9, Math.abs(error)) ** (norm - 1) / 10);
    return value / scale - Math.sign(error) * shrunk;
  });
  const mean = codes.reduce((sum, code, index) => sum + code - targets[index]!, 0) / values.length;
  const next = Math.max(0, Math.min(15, Math.floor(mean + 0.5)));
  const above = codes.reduce((sum, code, index) => sum + targets[index]! * (code - next), 0);
  const below = codes.reduce((sum, code) => sum + (code - next) ** 2, 0);
  const moved = scale + 2 * ((scale * above) / below - scale);
  return { scale: moved, zeroPoint: next, isBetter: cost(moved, next) < cost(scale, zeroPoint) };
}
