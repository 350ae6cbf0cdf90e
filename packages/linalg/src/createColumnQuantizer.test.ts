import { describe, expect, it } from 'vitest';
import { createColumnQuantizer } from './createColumnQuantizer.ts';
import { randomMatrix } from './plainLoops.ts';

/** One column after the other, each error carried on at once. */
function plainColumns(
  columns: Float64Array,
  factor: Float64Array,
  count: number,
  outputs: number,
  bits: number,
  deadZone: number,
): { codes: number[]; errors: number[] } {
  const work = columns.slice();
  const codes: number[] = [];
  const errors: number[] = [];
  for (let column = 0; column < count; column++) {
    for (let output = 0; output < outputs; output++) {
      const scale = 0.1 + 0.01 * output;
      const value = work[column * outputs + output]!;
      const exact = value * (1 / scale);
      const position = exact - Math.max(-deadZone, Math.min(deadZone, exact));
      const code = Math.max(0, Math.min(2 ** bits - 1, Math.floor(position + (output % 5) + 0.5)));
      const error = (value - scale * (code - (output % 5))) / factor[column * count + column]!;
      for (let later = column + 1; later < count; later++) {
        work[later * outputs + output]! -= error * factor[column * count + later]!;
      }
      codes.push(code);
      errors.push(error);
    }
  }
  return { codes, errors };
}

describe('createColumnQuantizer', () => {
  for (const [outputs, deadZone] of [
    [1, 0],
    [7, 0],
    [8, 0],
    [17, 0],
    [17, 0.2],
  ] as const) {
    it.each([1, 2, 3, 5, 7, 17, 31, 33, 70])(
      `equals plain loops for ${outputs} outputs, %i columns and a dead zone of ${deadZone}`,
      count => {
        const columns = randomMatrix(count, outputs, 3).data;
        const factor = randomMatrix(count, count, 4).data.map(
          (value, index) => value + (index % (count + 1) === 0 ? 3 : 0),
        );
        const quantizer = createColumnQuantizer(count + 2, outputs, count);
        const stride = quantizer.outputStride;
        expect((stride / 8) % 2).toBe(1);
        quantizer.factor.set(factor);
        for (let column = 0; column < count; column++) {
          for (let output = 0; output < outputs; output++) {
            quantizer.columns[(column + 2) * stride + output] = columns[column * outputs + output]!;
            quantizer.scales[column * stride + output] = 0.1 + 0.01 * output;
            quantizer.zeroPoints[column * stride + output] = output % 5;
          }
        }
        // In two pieces: columns of the second get the errors of the first.
        const middle = Math.floor(count / 2);
        quantizer.quantize(2, count, 0, middle, 3, deadZone);
        quantizer.quantize(2, count, middle, count, 3, deadZone);
        const expected = plainColumns(columns, factor, count, outputs, 3, deadZone);
        for (let column = 0; column < count; column++) {
          for (let output = 0; output < outputs; output++) {
            const index = column * outputs + output;
            expect(quantizer.codes[(column + 2) * stride + output]).toBe(expected.codes[index]);
            expect(quantizer.errors[column * stride + output]).toBeCloseTo(expected.errors[index]!, 9);
          }
        }
        expect(quantizer.columns.subarray(0, 2 * stride).every(value => value === 0)).toBe(true);
      },
    );
  }
});
