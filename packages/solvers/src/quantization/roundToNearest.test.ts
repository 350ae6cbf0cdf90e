import { containerLayout, reconstruct, storageBits } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import { describe, expect, it } from 'vitest';
import { chooseGrid } from './chooseGrid.ts';
import { quantize } from './quantize.ts';
import { roundToNearest } from './roundToNearest.ts';

const SIZES = [1, 2, 3, 5, 7, 17, 31, 33, 100];

function wave(rows: number, columns: number, scale = 0.1): Matrix<Float32Array> {
  const data = Float32Array.from({ length: rows * columns }, (_, index) => scale * Math.sin(1 + index * index * 0.7));
  return { rows, columns, data };
}

/** What one value may lose: half a step, or where the far end of a symmetric grid clips, a whole one. */
function largestLoss(value: number, scale: number, zeroPoint: number, bits: number): number {
  const far = scale * (2 ** bits - 1 - zeroPoint);
  return Math.abs(value) > Math.abs(far) && Math.sign(value) === Math.sign(far) ? Math.abs(scale) : Math.abs(scale) / 2;
}

describe('roundToNearest', () => {
  for (const bits of [2, 3, 4, 5, 8]) {
    for (const symmetric of [true, false]) {
      it.each(SIZES)(`takes the nearest code at ${bits} bits, symmetric ${symmetric}, %i inputs`, columns => {
        for (const groupSize of [16, 32, 'channel'] as const) {
          const weight = wave(3, columns, 20);
          const result = roundToNearest(weight, { bits, groupSize, symmetric });
          const inputs = groupSize === 'channel' ? columns : Math.min(groupSize, columns);
          const groupCount = Math.ceil(columns / inputs);
          expect(result.groupSize).toBe(inputs);
          expect(result.scales.length).toBe(3 * groupCount);
          expect(result.scaleType).toBe('float16');
          for (let index = 0; index < weight.data.length; index++) {
            const group = Math.floor(index / columns) * groupCount + Math.floor((index % columns) / inputs);
            const scale = result.scales[group]!;
            const zeroPoint = result.zeroPoints ? result.zeroPoints[group]! : 2 ** (bits - 1);
            expect(Math.f16round(scale)).toBe(scale);
            const losses = Array.from({ length: 2 ** bits }, (_, code) =>
              Math.abs(weight.data[index]! - scale * (code - zeroPoint)),
            );
            const loss = losses[result.codes[index]!]!;
            expect(loss).toBeLessThanOrEqual(Math.min(...losses) + 1e-12);
            expect(loss).toBeLessThanOrEqual(largestLoss(weight.data[index]!, scale, zeroPoint, bits) * 1.13);
          }
        }
      });
    }
  }

  it.each([1, 5, 16, 17, 33, 100, 700])('equals chooseGrid and quantize, group by group, at %i inputs', inputs => {
    for (const symmetric of [true, false]) {
      for (const shrinkSearch of [true, false]) {
        const weight = wave(200, inputs, 20);
        const result = roundToNearest(weight, { bits: 3, groupSize: 16, symmetric, shrinkSearch });
        const grid = { scale: 1, zeroPoint: 0 };
        const codes = new Uint8Array(weight.data.length);
        let group = 0;
        for (let row = 0; row < 200; row++) {
          for (let input = 0; input < inputs; input += 16, group++) {
            const start = row * inputs + input;
            const end = row * inputs + Math.min(inputs, input + 16);
            chooseGrid(
              weight.data,
              start,
              end,
              { bits: 3, symmetric, shrinkSearch, scaleType: result.scaleType, raiseSmallScales: false },
              grid,
            );
            quantize(weight.data, start, end, grid, 3, codes);
            expect(result.scales[group]).toBe(grid.scale);
            if (result.zeroPoints) expect(result.zeroPoints[group]).toBe(grid.zeroPoint);
          }
        }
        expect(result.codes).toEqual(codes);
      }
    }
  });

  it('rounds a hand-computed row', async () => {
    const weight = { rows: 1, columns: 4, data: Float32Array.of(-2, 0.3, 0.375, 1.9) };
    const result = roundToNearest(weight, { bits: 4, groupSize: 'channel' });
    expect([...result.codes]).toEqual([0, 9, 10, 15]);
    expect([...(await reconstruct(result)).data]).toEqual([-2, 0.25, 0.5, 1.75]);
  });

  it('keeps groups apart and gives the last one what is left', async () => {
    const data = new Float32Array(40).fill(-0.5, 0, 16).fill(4, 16, 32).fill(-1, 32);
    const result = roundToNearest({ rows: 1, columns: 40, data }, { bits: 2, groupSize: 16 });
    expect([...result.scales]).toEqual([0.25, -2, 0.5]);
    expect((await reconstruct(result)).data).toEqual(data);
  });

  it('reconstructs zeros and constants exactly, per group and in one-element groups', async () => {
    for (const symmetric of [true, false]) {
      const data = new Float32Array(2 * 33).fill(0.375, 33);
      const result = roundToNearest({ rows: 2, columns: 33, data }, { bits: 5, groupSize: 16, symmetric });
      const expected = Array.from(data, value => value);
      for (const [index, value] of (await reconstruct(result)).data.entries()) {
        expect(Math.abs(value - expected[index]!)).toBeLessThanOrEqual(expected[index]! * 2 ** -11);
      }
    }
  });

  it('keeps float32 scales for the whole weight when one does not fit float16', async () => {
    const weight = wave(4, 64);
    weight.data.fill(1e-7, 32, 48);
    const result = roundToNearest(weight, { bits: 4, groupSize: 16 });
    expect(result.scaleType).toBe('float32');
    expect(result.scales[2]).toBe(Math.fround(-1e-7 / 8));
    expect(result.scales.some(scale => Math.f16round(scale) !== scale)).toBe(true);
    const layout = containerLayout(result);
    expect(storageBits(result)).toBe(4 * layout.blockCount * (16 * 4 + 32));
  });

  it.each([1e-30, 1e30])('survives magnitudes of %d', async magnitude => {
    for (const symmetric of [true, false]) {
      const weight = wave(2, 48, magnitude);
      const result = roundToNearest(weight, { bits: 8, groupSize: 16, symmetric });
      const worst = (await reconstruct(result)).data.map((value, index) => Math.abs(value - weight.data[index]!));
      expect(Math.max(...worst) / magnitude).toBeLessThan(0.009);
    }
  });

  it('takes groups wider than the weight as per channel', () => {
    expect(roundToNearest(wave(2, 40), { groupSize: 128 })).toEqual(
      roundToNearest(wave(2, 40), { groupSize: 'channel' }),
    );
  });
});
