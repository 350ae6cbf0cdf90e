import { Matrix as PeerMatrix, QrDecomposition } from 'ml-matrix';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { availableEngines } from './availableEngines.ts';
import { chooseEngine } from './engine.ts';
import type { Matrix } from './matrix.ts';
import { orthogonalityError } from './orthogonalityError.ts';
import { plainProduct, randomMatrix, relativeDifference } from './plainLoops.ts';
import { qr } from './qr.ts';

const SHAPES = [1, 2, 3, 5, 7, 17, 31, 33, 64, 65, 129, 200].flatMap(n => [
  [n, n],
  [n + 1, n],
  [3 * n, n],
]) as [number, number][];

function expectUpper({ rows, data }: Matrix): void {
  for (let row = 0; row < rows; row++) {
    expect(data[row * rows + row]).toBeGreaterThanOrEqual(0);
    expect(data.subarray(row * rows, row * rows + row).every(value => value === 0)).toBe(true);
  }
}

afterAll(() => chooseEngine());

describe.each(await availableEngines())('qr, OpenBLAS %s', openBlas => {
  beforeAll(() => chooseEngine({ openBlas }));

  it.each(SHAPES)('factorises %i x %i', async (m, n) => {
    const matrix = randomMatrix(m, n);
    const before = matrix.data.slice();
    const { q, r } = await qr(matrix);
    expect(matrix.data).toEqual(before);
    expect(relativeDifference(matrix, plainProduct(q, r))).toBeLessThan(1e-14);
    expect(orthogonalityError(q, 'columns')).toBeLessThan(1e-14);
    expectUpper(r);
  });

  it.each([
    [5, 3],
    [65, 33],
    [129, 129],
  ])('equals another library at %i x %i', async (m, n) => {
    const matrix = randomMatrix(m, n, 2);
    const rows = Array.from({ length: m }, (_, row) => [...matrix.data.subarray(row * n, row * n + n)]);
    const peer = new QrDecomposition(new PeerMatrix(rows)).upperTriangularMatrix;
    const { r } = await qr(matrix);
    for (let row = 0; row < n; row++) {
      const sign = Math.sign(peer.get(row, row));
      for (let column = row; column < n; column++) {
        expect(r.data[row * n + column]).toBeCloseTo(sign * peer.get(row, column), 11);
      }
    }
  });

  it('keeps Q orthonormal where columns depend on each other', async () => {
    const low = plainProduct(randomMatrix(80, 9, 3), randomMatrix(9, 70, 4));
    const repeated = { rows: 80, columns: 70, data: new Float64Array(5600).fill(3) };
    const zero = { rows: 80, columns: 70, data: new Float64Array(5600) };
    for (const matrix of [low, repeated, zero]) {
      const { q, r } = await qr(matrix);
      expect(orthogonalityError(q, 'columns')).toBeLessThan(1e-14);
      expectUpper(r);
      const product = plainProduct(q, r).data;
      expect(matrix.data.every((value, index) => Math.abs(value - product[index]!) < 1e-12)).toBe(true);
    }
  });

  it.each([1e-200, 1e-30, 1e30, 1e200])('does not mind values around %d', async size => {
    const matrix = { rows: 70, columns: 66, data: randomMatrix(70, 66, 5).data.map(value => value * size) };
    const { q, r } = await qr(matrix);
    expect(orthogonalityError(q, 'columns')).toBeLessThan(1e-14);
    expect(relativeDifference(matrix, plainProduct(q, r))).toBeLessThan(1e-14);
  });

  it('takes float32: the rounded float64 result', async () => {
    const single = { rows: 70, columns: 66, data: Float32Array.from(randomMatrix(70, 66, 6).data) };
    const found = await qr(single);
    const expected = await qr({ ...single, data: Float64Array.from(single.data) });
    expect(found.q.data).toEqual(Float32Array.from(expected.q.data));
    expect(found.r.data).toEqual(Float32Array.from(expected.r.data));
  });

  it('gives the same bytes for 1 and 2 threads', async () => {
    const matrix = randomMatrix(310, 290, 7);
    const alone = await qr(matrix);
    await chooseEngine({ openBlas, threads: 2 });
    const together = await qr(matrix);
    await chooseEngine({ openBlas });
    expect(together).toEqual(alone);
    expect(orthogonalityError(alone.q, 'columns')).toBeLessThan(1e-14);
    expect(relativeDifference(matrix, plainProduct(alone.q, alone.r))).toBeLessThan(1e-14);
  });

  it('refuses more columns than rows, NaN and infinity', async () => {
    await expect(qr(randomMatrix(2, 3))).rejects.toThrow('2 x 3');
    const matrix = randomMatrix(3, 2);
    matrix.data[4] = Number.POSITIVE_INFINITY;
    await expect(qr(matrix)).rejects.toThrow('row 2, column 0 is Infinity');
  });
});
