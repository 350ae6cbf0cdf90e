import { gemm } from '@quern/linalg';
import { describe, expect, it } from 'vitest';
import { fitOnSupport } from './fitOnSupport.ts';
import { keepLargestOfRows } from './keepLargestOfRows.ts';
import { normalEquations } from './normalEquations.ts';
import { roundOnSupport } from './roundOnSupport.ts';
import { sampleAtoms } from './sampleAtoms.ts';
import { squaredDistance, wide } from './testCodes.ts';

describe('coefficients on grids', () => {
  it('comes near to the best of all codes at its scale, and beats rounding to nearest', async () => {
    const atoms = sampleAtoms(wide(6, 5, 81), 6, 1);
    const target = wide(12, 5, 82);
    const equations = await normalEquations(target, atoms);
    const start = wide(12, 6, 83);
    keepLargestOfRows(start, 12 * 4);
    const fitted = await fitOnSupport(start, equations, 20);
    const { values, scales, codes } = roundOnSupport(fitted, equations, 2);
    expect(codes.length).toBe(48);
    const nearest = fitted.data.map((value, index) => {
      const scale = scales[Math.floor(index / 6)]!;
      return value === 0 ? 0 : scale * (2 * Math.min(3, Math.max(0, Math.round((value / scale + 3) / 2))) - 3);
    });
    const left = await squaredDistance(target, values, atoms);
    expect(left).toBeLessThanOrEqual(await squaredDistance(target, { ...values, data: nearest }, atoms));
    // All 4^4 codes of each row.
    let best = 0;
    for (let row = 0; row < 12; row++) {
      const support = [0, 1, 2, 3, 4, 5].filter(atom => fitted.data[row * 6 + atom] !== 0);
      const own = { rows: 1, columns: 5, data: target.data.slice(row * 5, row * 5 + 5) };
      let least = Number.POSITIVE_INFINITY;
      for (let code = 0; code < 4 ** support.length; code++) {
        const data = new Float64Array(6);
        for (const [place, atom] of support.entries())
          data[atom] = scales[row]! * (2 * ((code >> (2 * place)) & 3) - 3);
        least = Math.min(least, await squaredDistance(own, { rows: 1, columns: 6, data }, atoms));
      }
      best += least;
    }
    expect(left).toBeGreaterThanOrEqual(best - 1e-9);
    expect(left).toBeLessThan(1.5 * best);
  });

  it('never puts a value where there was none, and survives rows without any', async () => {
    const atoms = sampleAtoms(wide(7, 9, 84), 7, 1);
    const target = wide(5, 9, 85);
    const equations = await normalEquations(target, atoms);
    const start = wide(5, 7, 86);
    keepLargestOfRows(start, 15);
    start.data.fill(0, 7, 14);
    const { values, codes } = roundOnSupport(start, equations, 3);
    expect([...values.data].map(value => value !== 0)).toEqual([...start.data].map(value => value !== 0));
    expect(codes.length).toBe(start.data.filter(value => value !== 0).length);
  });

  it('gives exact values back that lie on a grid', async () => {
    const atoms = sampleAtoms(wide(8, 12, 87), 8, 1);
    const grid = wide(6, 8, 88);
    for (const [index, value] of grid.data.entries()) {
      const level = Math.min(7, Math.max(0, Math.round(4 * value + 3.5))) - 3.5;
      grid.data[index] = index % 8 === 0 ? 3.5 * 0.25 : index % 3 === 0 ? 0 : 0.25 * level;
    }
    const equations = await normalEquations(await gemm(grid, atoms), atoms);
    const { values } = roundOnSupport(grid, equations, 3);
    for (const [index, value] of grid.data.entries()) expect(values.data[index]).toBeCloseTo(value, 10);
  });
});
