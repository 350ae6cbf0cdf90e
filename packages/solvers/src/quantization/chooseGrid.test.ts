import { describe, expect, it } from 'vitest';
import { chooseGrid } from './chooseGrid.ts';
import type { Grid, GridRule } from './grid.ts';

const plain: GridRule = {
  bits: 4,
  symmetric: true,
  shrinkSearch: false,
  scaleType: 'float16',
  raiseSmallScales: false,
};

function gridOf(values: readonly number[], rule: Partial<GridRule> = {}): Grid & { fits: boolean } {
  const grid: Grid = { scale: Number.NaN, zeroPoint: Number.NaN };
  const fits = chooseGrid(Float32Array.from(values), 0, values.length, { ...plain, ...rule }, grid);
  return { ...grid, fits };
}

describe('chooseGrid', () => {
  it('puts a negative extreme on code 0 with a positive scale', () => {
    expect(gridOf([-2, 0.5, 1])).toEqual({ scale: 0.25, zeroPoint: 8, fits: true });
  });

  it('puts a positive extreme on code 0 with a negative scale', () => {
    expect(gridOf([2, -0.5, -1])).toEqual({ scale: -0.25, zeroPoint: 8, fits: true });
  });

  it('covers lowest to highest when asymmetric', () => {
    expect(gridOf([-1.25, 2.5, 0], { symmetric: false })).toEqual({ scale: 0.25, zeroPoint: 5, fits: true });
  });

  it('widens an asymmetric range to 0', () => {
    expect(gridOf([3.75, 2], { symmetric: false })).toEqual({ scale: 0.25, zeroPoint: 0, fits: true });
    expect(gridOf([-3.75, -2], { symmetric: false })).toEqual({ scale: 0.25, zeroPoint: 15, fits: true });
  });

  it('gives a group of zeros scale 1', () => {
    expect(gridOf([0, 0])).toEqual({ scale: 1, zeroPoint: 8, fits: true });
    expect(gridOf([0, 0], { symmetric: false })).toEqual({ scale: 1, zeroPoint: 0, fits: true });
  });

  it('rounds the scale to float16 before the zero point is chosen', () => {
    // .1 is 0x2e66 in float16.
    expect(gridOf([-0.8]).scale).toBe(0.0999755859375);
    expect(gridOf([-0.8], { scaleType: 'float32' }).scale).toBe(Math.fround(0.1));
  });

  it('tells that a scale leaves the normal range of float16, and takes it as float32', () => {
    for (const extreme of [2 ** -12, 8 * 65536]) {
      expect(gridOf([-extreme]).fits).toBe(false);
      expect(gridOf([-extreme], { scaleType: 'float32' })).toEqual({ scale: extreme / 8, zeroPoint: 8, fits: true });
    }
    expect(gridOf([-(2 ** -11)])).toEqual({ scale: 2 ** -14, zeroPoint: 8, fits: true });
  });

  it('raises a scale to the smallest normal float16 where that is asked for', () => {
    const raiseSmallScales = true;
    expect(gridOf([-(2 ** -15)], { raiseSmallScales })).toEqual({ scale: 2 ** -14, zeroPoint: 8, fits: true });
    expect(gridOf([2 ** -15], { raiseSmallScales }).scale).toBe(-(2 ** -14));
    expect(gridOf([0], { raiseSmallScales }).scale).toBe(1);
    expect(gridOf([-8 * 65536], { raiseSmallScales }).fits).toBe(false);
  });

  it.each([2, 3, 4, 8])('keeps the largest float32 values finite at %i bits', bits => {
    const largest = (2 - 2 ** -23) * 2 ** 127;
    for (const values of [[-largest, largest], [largest], [-largest, largest / 2]]) {
      const { scale, zeroPoint } = gridOf(values, { bits, symmetric: false, scaleType: 'float32' });
      for (const code of [0, 2 ** bits - 1]) expect(Math.fround(scale * (code - zeroPoint))).toSatisfy(Number.isFinite);
    }
  });

  it('treats what is too small for any float32 scale as zero', () => {
    expect(gridOf([-(2 ** -149)], { scaleType: 'float32' })).toEqual({ scale: 1, zeroPoint: 8, fits: true });
  });

  it.each([true, false])('searches the range with the least summed |error|^2.4 (symmetric %s)', symmetric => {
    const values = Array.from({ length: 33 }, (_, index) => Math.sin(index * index) * (index === 7 ? 3 : 0.4));
    const objective = (scale: number, zeroPoint: number): number => {
      let sum = 0;
      for (const value of values.map(Math.fround)) {
        const errors = Array.from({ length: 8 }, (_, code) => Math.abs(value - scale * (code - zeroPoint)));
        sum += Math.min(...errors) ** 2.4;
      }
      return sum;
    };
    const found = gridOf(values, { bits: 3, symmetric, shrinkSearch: true });
    let best = Number.POSITIVE_INFINITY;
    for (let percent = 21; percent <= 100; percent++) {
      const lowest = (Math.min(...values.map(Math.fround)) * percent) / 100;
      const highest = (Math.max(...values.map(Math.fround)) * percent) / 100;
      const extreme = -lowest >= highest ? lowest : highest;
      const scale = Math.f16round(symmetric ? -extreme / 4 : (highest - lowest) / 7);
      best = Math.min(best, objective(scale, symmetric ? 4 : Math.round(-lowest / scale)));
    }
    expect(objective(found.scale, found.zeroPoint)).toBeCloseTo(best, 10);
    const full = gridOf(values, { bits: 3, symmetric });
    expect(objective(full.scale, full.zeroPoint)).toBeGreaterThan(best * 1.03);
  });
});
