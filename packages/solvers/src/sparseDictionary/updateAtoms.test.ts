import { Matrix as NaiveMatrix, SVD } from 'ml-matrix';
import { describe, expect, it } from 'vitest';
import { keepLargestOfRows } from './keepLargestOfRows.ts';
import { sampleAtoms } from './sampleAtoms.ts';
import type { SparseCode } from './sparseCode.ts';
import { squaredDistance, wide } from './testCodes.ts';
import { updateAtoms } from './updateAtoms.ts';

describe('K-SVD', () => {
  it('never raises the objective, keeps the support, unit atoms and atoms that none uses', async () => {
    const target = wide(30, 14, 31);
    const atoms = sampleAtoms(wide(18, 14, 32), 18, 1);
    const coefficients = wide(30, 18, 33);
    keepLargestOfRows(coefficients, 30 * 4);
    for (let row = 0; row < 30; row++) coefficients.data[row * 18 + 5] = 0;
    let code: SparseCode = { coefficients, atoms };
    let before = await squaredDistance(target, coefficients, atoms);
    for (let sweep = 0; sweep < 4; sweep++) {
      code = await updateAtoms(target, code);
      const after = await squaredDistance(target, code.coefficients, code.atoms);
      expect(after).toBeLessThan(before);
      before = after;
    }
    for (const [index, value] of code.coefficients.data.entries())
      expect(value !== 0).toBe(coefficients.data[index] !== 0);
    expect([...code.atoms.data.slice(70, 84)]).toEqual([...atoms.data.slice(70, 84)]);
    for (let atom = 0; atom < 18; atom++)
      expect(Math.hypot(...code.atoms.data.slice(atom * 14, atom * 14 + 14))).toBeCloseTo(1, 12);
  });

  it('updates one atom to the leading singular pair', async () => {
    const target = wide(8, 6, 34);
    const coefficients = { rows: 8, columns: 1, data: new Float64Array(8).fill(1) };
    let code: SparseCode = { coefficients, atoms: sampleAtoms(target, 1, 1) };
    for (let sweep = 0; sweep < 30; sweep++) code = await updateAtoms(target, code);
    const [largest, ...others] = new SVD(NaiveMatrix.from1DArray(8, 6, [...target.data])).diagonal;
    const left = others.reduce((sum, value) => sum + value * value, 0);
    expect(await squaredDistance(target, code.coefficients, code.atoms)).toBeCloseTo(left, 8);
    expect(Math.hypot(...code.coefficients.data)).toBeCloseTo(largest!, 8);
  });
});
