import { Matrix as PeerMatrix, SingularValueDecomposition } from 'ml-matrix';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { availableEngines } from './availableEngines.ts';
import { chooseEngine } from './engine.ts';
import type { Matrix } from './matrix.ts';
import { orthogonalityError } from './orthogonalityError.ts';
import { plainProduct, plainTranspose, randomGram, randomMatrix, relativeDifference } from './plainLoops.ts';
import { polarFactor } from './polarFactor.ts';
import { qr } from './qr.ts';
import { type Svd, svd } from './svd.ts';

const SHAPES = [1, 2, 3, 5, 7, 17, 31, 33, 64, 65, 129].flatMap(n => [
  [n, n],
  [n + 2, n],
  [n, 2 * n],
]) as [number, number][];

function multiplied({ left, values, right }: Svd<Float64Array>): Matrix<Float64Array> {
  const scaled = right.data.map((value, index) => value * values[Math.floor(index / right.columns)]!);
  return plainProduct(left, { ...right, data: scaled });
}

/** Checks order, orthogonality and that the input stays; returns the largest |A - left diag right| over the largest value. */
async function residual(matrix: Matrix<Float64Array>): Promise<number> {
  const before = matrix.data.slice();
  const found = await svd(matrix);
  expect(matrix.data).toEqual(before);
  expect(orthogonalityError(found.left, 'columns')).toBeLessThan(1e-14);
  expect(orthogonalityError(found.right, 'rows')).toBeLessThan(1e-14);
  const { values } = found;
  values.forEach((value, index) => {
    expect(value).toBeGreaterThanOrEqual(0);
    expect(value).toBeLessThanOrEqual(values[Math.max(0, index - 1)]!);
  });
  const product = multiplied(found);
  const largest = matrix.data.reduce((size, value, at) => Math.max(size, Math.abs(value - product.data[at]!)), 0);
  return largest === 0 ? 0 : largest / values[0]!;
}

/** Known singular values in random directions. */
async function planted(m: number, n: number, values: readonly number[]): Promise<Matrix<Float64Array>> {
  const left = (await qr(randomMatrix(m, values.length, 11))).q;
  const right = plainTranspose((await qr(randomMatrix(n, values.length, 12))).q);
  return multiplied({ left, values: Float64Array.from(values), right });
}

afterAll(() => chooseEngine());

describe.each(await availableEngines())('svd and polarFactor, OpenBLAS %s', openBlas => {
  beforeAll(() => chooseEngine({ openBlas }));

  it.each([...SHAPES, [300, 280] as const])('decomposes %i x %i', async (m, n) => {
    expect(await residual(randomMatrix(m, n))).toBeLessThan(1e-14);
  });

  it.each([
    [5, 3],
    [33, 65],
    [90, 70],
  ])('equals another library at %i x %i', async (m, n) => {
    const matrix = randomMatrix(m, n, 2);
    const rows = Array.from({ length: m }, (_, row) => [...matrix.data.subarray(row * n, row * n + n)]);
    const expected = new SingularValueDecomposition(new PeerMatrix(rows), { autoTranspose: true }).diagonal;
    const { values } = await svd(matrix);
    values.forEach((value, index) => void expect(value).toBeCloseTo(expected[index]!, 12));
  });

  it('finds planted values over sixteen decades to the rounding of the largest', async () => {
    const values = Array.from({ length: 90 }, (_, index) => 10 ** (-16 * (index / 89)));
    const matrix = await planted(120, 100, values);
    expect(await residual(matrix)).toBeLessThan(1e-14);
    const found = (await svd(matrix)).values;
    for (let index = 0; index < 100; index++)
      expect(Math.abs(found[index]! - (values[index] ?? 0))).toBeLessThan(1e-14);
  });

  it('keeps repeated and clustered values orthogonal', async () => {
    const clustered = Array.from({ length: 70 }, (_, index) => (index < 30 ? 2 : 1e-3 * (1 + index * 1e-15)));
    expect(await residual(await planted(70, 70, clustered))).toBeLessThan(1e-14);
    expect(await residual(randomGram(100, 0, 6))).toBeLessThan(1e-14);
  });

  it.each([
    [6, 4],
    [40, 70],
    [70, 70],
  ])('completes the vectors of %i x %i matrices of low rank', async (m, n) => {
    const low = plainProduct(randomMatrix(m, 2, 3), randomMatrix(2, n, 4));
    expect(await residual(low)).toBeLessThan(1e-14);
    expect(await residual({ rows: m, columns: n, data: new Float64Array(m * n) })).toBe(0);
    expect(await residual({ rows: m, columns: n, data: new Float64Array(m * n).fill(-2) })).toBeLessThan(1e-14);
    const { values } = await svd(low);
    expect(values[1]).toBeGreaterThan(0.1);
    expect(values[2]).toBeLessThan(1e-14 * values[0]!);
  });

  it.each([1e-150, 1e-30, 1e30, 1e150])('does not mind values around %d', async size => {
    const matrix = { rows: 40, columns: 35, data: randomMatrix(40, 35, 5).data.map(value => value * size) };
    expect(await residual(matrix)).toBeLessThan(1e-14);
  });

  it('takes float32: the rounded float64 result', async () => {
    const single = { rows: 40, columns: 66, data: Float32Array.from(randomMatrix(40, 66, 6).data) };
    const found = await svd(single);
    const expected = await svd({ ...single, data: Float64Array.from(single.data) });
    expect(found.left.data).toEqual(Float32Array.from(expected.left.data));
    expect(found.right.data).toEqual(Float32Array.from(expected.right.data));
    expect(found.values).toEqual(expected.values);
  });

  it('gives the same bytes for 1 and 2 threads', async () => {
    const matrix = randomMatrix(290, 270, 7);
    const alone = await svd(matrix);
    await chooseEngine({ openBlas, threads: 2 });
    const together = await svd(matrix);
    await chooseEngine({ openBlas });
    expect(together).toEqual(alone);
  });

  it('refuses NaN and infinity', async () => {
    const matrix = randomMatrix(3, 2);
    matrix.data[3] = Number.NaN;
    await expect(svd(matrix)).rejects.toThrow('row 1, column 1 is NaN');
    await expect(polarFactor(matrix)).rejects.toThrow(RangeError);
  });

  it.each(SHAPES)('polarFactor of %i x %i leaves a symmetric factor without negative eigenvalues', async (m, n) => {
    const matrix = randomMatrix(m, n, 8);
    const polar = await polarFactor(matrix);
    expect(orthogonalityError(polar, m >= n ? 'columns' : 'rows')).toBeLessThan(1e-14);
    // U^T A (or A U^T) is symmetric and positive semidefinite exactly for the nearest U; then its trace is the sum of values.
    const factor = m >= n ? plainProduct(plainTranspose(polar), matrix) : plainProduct(matrix, plainTranspose(polar));
    expect(relativeDifference(factor, plainTranspose(factor))).toBeLessThan(1e-13);
    const trace = factor.data.reduce((sum, value, at) => (at % (factor.rows + 1) === 0 ? sum + value : sum), 0);
    const { values } = await svd(matrix);
    expect(trace / values.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 12);
  });

  it('polarFactor recovers a rotation that was stretched, and stays orthonormal without full rank', async () => {
    const rotation = (await qr(randomMatrix(65, 65, 9))).q;
    const x = randomMatrix(130, 65, 10);
    const stretch = plainProduct(plainTranspose(x), x);
    const polar = await polarFactor(plainProduct(rotation, stretch));
    expect(relativeDifference(rotation, polar)).toBeLessThan(1e-11);
    const low = plainProduct(randomMatrix(80, 3, 3), randomMatrix(3, 60, 4));
    expect(orthogonalityError(await polarFactor(low), 'columns')).toBeLessThan(1e-14);
    expect(orthogonalityError(await polarFactor(plainTranspose(low)), 'rows')).toBeLessThan(1e-14);
    const single = { ...low, data: Float32Array.from(low.data) };
    expect(orthogonalityError(await polarFactor(single), 'columns')).toBeLessThan(1e-6);
  });
});
