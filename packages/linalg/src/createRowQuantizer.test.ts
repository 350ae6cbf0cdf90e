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
        quantizer.inverseScales[group] = 3 + group;
        quantizer.offsets[group] = 4.5 + (group % 3);
      }
      quantizer.quantize(rows, 3);
      const expected = Array.from(values, (value, index) => {
        const group = Math.floor(index / columns) * groups + Math.floor((index % columns) / groupSize);
        return Math.max(0, Math.min(7, Math.floor(value * (3 + group) + 4.5 + (group % 3))));
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

  it('covers 8 bits and clamps far values', () => {
    const quantizer = createRowQuantizer(9, 16);
    quantizer.values.set([0, 1, 127, 128, 254, 255, 3e38, -3e38, 254.999]);
    quantizer.inverseScales[0] = 1;
    quantizer.offsets[0] = 0;
    quantizer.quantize(1, 8);
    expect([...quantizer.codes.subarray(0, 9)]).toEqual([0, 1, 127, 128, 254, 255, 255, 0, 254]);
  });

  it('holds whole rows, one at least', () => {
    expect(createRowQuantizer(1000, 32)).toMatchObject({ rowCapacity: 65, groupsPerRow: 32 });
    expect(createRowQuantizer(100_000, 32)).toMatchObject({ rowCapacity: 1, groupsPerRow: 3125 });
  });
});

it.each([1, 3, 4, 31, 32, 64, 65, 200])('sums up a half-quadratic step like plain loops: %i values', count => {
  const quantizer = createRowQuantizer(256, 256);
  quantizer.values.set(randomMatrix(1, 256, 5).data.map(value => value ** 3));
  for (const norm of [0.5, 0.7, 1, 2]) {
    const step = { scale: -0.05, zeroPoint: 6, highestCode: 15, norm, beta: 10 };
    const expected = [0, 0, 0, 0, 0];
    let size = 0;
    for (const value of quantizer.values.subarray(3, 3 + count)) {
      const position = Math.fround(value / step.scale) + step.zeroPoint;
      const code = Math.max(0, Math.min(15, Math.floor(position + 0.5)));
      const error = position - code;
      const shrunk = error === 0 ? 0 : Math.max(0, Math.abs(error) - Math.abs(error) ** (norm - 1) / step.beta);
      const target = position - step.zeroPoint - Math.sign(error) * shrunk;
      const d = code - step.zeroPoint;
      const own = [Math.abs(error) ** norm, d, d * d, target, target * d];
      for (const [index, term] of own.entries()) expected[index]! += term;
      size += 1 + d * d;
    }
    const sums = quantizer.halfQuadraticSums(3, count, step);
    for (const [index, sum] of expected.entries()) expect(Math.abs(sums[index]! - sum)).toBeLessThan(1e-4 * size);
  }
});
