import { EigenvalueDecomposition, Matrix as PeerMatrix } from 'ml-matrix';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { availableEngines } from './availableEngines.ts';
import { chooseEngine } from './engine.ts';
import type { Matrix } from './matrix.ts';
import { orthogonalityError } from './orthogonalityError.ts';
import { plainProduct, plainTranspose, randomGram, randomMatrix } from './plainLoops.ts';
import { symmetricEigen } from './symmetricEigen.ts';

const SIZES = [1, 2, 3, 5, 7, 17, 31, 33, 64, 65, 129, 200];

function fromEntries(n: number, entry: (row: number, column: number) => number): Matrix<Float64Array> {
  const data = Float64Array.from({ length: n * n }, (_, index) => entry(Math.floor(index / n), index % n));
  return { rows: n, columns: n, data };
}

function randomSymmetric(n: number, seed = 1): Matrix<Float64Array> {
  const { data } = randomMatrix(n, n, seed);
  return fromEntries(n, (row, column) => data[Math.min(row, column) * n + Math.max(row, column)]!);
}

const wilkinson = (n: number): Matrix<Float64Array> =>
  fromEntries(n, (row, column) =>
    row === column ? Math.abs(row - (n - 1) / 2) : Math.abs(row - column) === 1 ? 1 : 0,
  );

/** Largest |A v - value v| over the largest size of a value; also checks order and that rows are orthonormal up to `limit`. */
async function residual<Data extends Float32Array | Float64Array>(
  matrix: Matrix<Data>,
  limit = 1e-14,
): Promise<number> {
  const before = matrix.data.slice();
  const { values, vectors } = await symmetricEigen(matrix);
  expect(matrix.data).toEqual(before);
  expect(orthogonalityError(vectors, 'rows')).toBeLessThan(limit);
  for (let index = 1; index < values.length; index++) expect(values[index]).toBeLessThanOrEqual(values[index - 1]!);
  const { data } = plainProduct(vectors, matrix);
  const norm = Math.max(...values.map(Math.abs));
  const n = matrix.rows;
  const largest = data.reduce(
    (size, value, at) => Math.max(size, Math.abs(value - values[Math.floor(at / n)]! * vectors.data[at]!)),
    0,
  );
  return norm === 0 ? largest : largest / norm;
}

describe.each(await availableEngines())('symmetricEigen, OpenBLAS %s', openBlas => {
  beforeAll(() => chooseEngine({ openBlas }));

  it.each([...SIZES, 300])('solves a random matrix at %i', async n => {
    expect(await residual(randomSymmetric(n))).toBeLessThan(1e-14);
  });

  it.each([1, 2, 3, 5, 7, 17, 31, 33, 64, 65, 129])('equals another library at %i', async n => {
    const matrix = randomSymmetric(n, 5);
    const rows = Array.from({ length: n }, (_, row) => [...matrix.data.subarray(row * n, row * n + n)]);
    const peer = new EigenvalueDecomposition(new PeerMatrix(rows), { assumeSymmetric: true });
    const expected = peer.realEigenvalues.sort((a, b) => b - a);
    const { values } = await symmetricEigen(matrix);
    for (let index = 0; index < n; index++) expect(values[index]).toBeCloseTo(expected[index]!, 12);
  });

  it.each(SIZES)('solves Gram matrices over twelve decades at %i', async n => {
    expect(await residual(randomGram(n, 0, 6))).toBeLessThan(1e-14);
  });

  it.each([2, 7, 33, 65, 129, 200])('solves the Gram matrix of too few rows at %i', async n => {
    const rank = Math.ceil(n / 3);
    const x = randomMatrix(rank, n, 3);
    const gram = plainProduct(plainTranspose(x), x);
    expect(await residual(gram)).toBeLessThan(1e-14);
    const { values } = await symmetricEigen(gram);
    const shortfall = values.filter(value => Math.abs(value) < 1e-14 * values[0]!).length;
    expect(shortfall).toBe(n - rank);
  });

  it.each([1, 7, 33, 129])('knows diagonal, identity, zero and rank-one matrices at %i', async n => {
    const diagonal = fromEntries(n, (row, column) => (row === column ? (row * 5) % n : 0));
    expect([...(await symmetricEigen(diagonal)).values]).toEqual(
      Array.from({ length: n }, (_, index) => n - 1 - index),
    );
    expect(await residual(diagonal)).toBe(0);
    const identity = fromEntries(n, (row, column) => Number(row === column));
    expect(await residual(identity)).toBe(0);
    expect([...(await symmetricEigen(identity)).values]).toEqual(Array(n).fill(1));
    const zero = fromEntries(n, () => 0);
    expect(await residual(zero)).toBe(0);
    expect((await symmetricEigen(zero)).values.every(value => value === 0)).toBe(true);
    const ones = fromEntries(n, () => 1);
    expect(await residual(ones)).toBeLessThan(1e-15 * n);
    expect((await symmetricEigen(ones)).values[0]).toBeCloseTo(n, 12);
  });

  it.each([33, 65, 200])('knows the second difference matrix of %i points', async n => {
    // Published: 2 - 2 cos(k pi / (n + 1)).
    const matrix = fromEntries(n, (row, column) => (row === column ? 2 : Math.abs(row - column) === 1 ? -1 : 0));
    expect(await residual(matrix)).toBeLessThan(1e-14);
    const { values } = await symmetricEigen(matrix);
    for (let k = 1; k <= n; k++) expect(values[n - k]).toBeCloseTo(2 - 2 * Math.cos((k * Math.PI) / (n + 1)), 13);
  });

  it('tells the close pairs of Wilkinson matrices apart', async () => {
    const { values } = await symmetricEigen(wilkinson(21));
    // Wilkinson 1965: W21+ has 10.746194182903393 and 10.746194182903322.
    expect(values[0]).toBeCloseTo(10.746194182903393, 13);
    expect(values[1]).toBeCloseTo(10.746194182903322, 13);
    for (const n of [21, 65, 129, 201]) expect(await residual(wilkinson(n))).toBeLessThan(1e-14);
  });

  it.each([7, 65, 200])('keeps repeated eigenvalues orthogonal at %i', async n => {
    // I - 2 v v^T: 1 repeated, and -1 once.
    const v = randomMatrix(n, 1, 4).data;
    const square = v.reduce((sum, value) => sum + value * value, 0);
    const matrix = fromEntries(n, (row, column) => Number(row === column) - (2 * v[row]! * v[column]!) / square);
    expect(await residual(matrix)).toBeLessThan(1e-14);
    const { values } = await symmetricEigen(matrix);
    expect(values[0]).toBeCloseTo(1, 13);
    expect(values[n - 2]).toBeCloseTo(1, 13);
    expect(values[n - 1]).toBeCloseTo(-1, 13);
  });

  it.each([1e-150, 1e-30, 1e30, 1e150])('does not mind values around %d', async size => {
    const matrix = randomSymmetric(65, 6);
    const { values } = await symmetricEigen(matrix);
    const scaled = { ...matrix, data: matrix.data.map(value => value * size) };
    expect(await residual(scaled)).toBeLessThan(1e-14);
    const found = await symmetricEigen(scaled);
    for (let index = 0; index < 65; index++) expect(found.values[index]! / size).toBeCloseTo(values[index]!, 12);
  });

  it('survives graded matrices whose squares vanish', async () => {
    const graded = fromEntries(40, (row, column) => 10 ** (-8 * Math.max(row, column)));
    expect(await residual(graded)).toBeLessThan(1e-14);
  });

  describe('float32', () => {
    const limit = 5e-6;
    const single = (matrix: Matrix): Matrix<Float32Array> => ({ ...matrix, data: Float32Array.from(matrix.data) });

    it.each([...SIZES, 300])('solves a random matrix at %i, and its values are those of float64', async n => {
      const matrix = single(randomSymmetric(n, 10));
      expect(await residual(matrix, limit)).toBeLessThan(limit);
      const { values, vectors } = await symmetricEigen(matrix);
      expect(vectors.data).toBeInstanceOf(Float32Array);
      const expected = await symmetricEigen({ ...matrix, data: Float64Array.from(matrix.data) });
      const norm = Math.max(...expected.values.map(Math.abs));
      values.forEach((value, index) => {
        expect(Math.abs(value - expected.values[index]!) / norm).toBeLessThan(limit);
      });
    });

    it.each([7, 65, 129])('solves graded, dependent, diagonal and zero matrices at %i', async n => {
      const x = randomMatrix(Math.ceil(n / 3), n, 3);
      const dependent = single(plainProduct(plainTranspose(x), x));
      const diagonal = single(fromEntries(n, (row, column) => (row === column ? (row * 5) % n : 0)));
      for (const matrix of [single(randomGram(n, 0, 6)), dependent, single(wilkinson(n))]) {
        expect(await residual(matrix, limit)).toBeLessThan(limit);
      }
      expect(await residual(diagonal, limit)).toBe(0);
      expect(await residual(single(fromEntries(n, () => 0)), limit)).toBe(0);
    });

    it.each([1e-35, 1e35])('does not mind values around %d', async size => {
      const matrix = randomSymmetric(65, 6);
      expect(await residual(single({ ...matrix, data: matrix.data.map(value => value * size) }), limit)).toBeLessThan(
        limit,
      );
    });

    it('reads the upper triangle only and refuses NaN', async () => {
      const matrix = single(randomSymmetric(65, 7));
      const { values } = await symmetricEigen(matrix);
      for (let row = 0; row < 65; row++) matrix.data.fill(Number.NaN, row * 65, row * 65 + row);
      expect((await symmetricEigen(matrix)).values).toEqual(values);
      matrix.data[3 * 65 + 5] = Number.NaN;
      await expect(symmetricEigen(matrix)).rejects.toThrow('row 3, column 5 is NaN');
    });
  });

  it('gives the same bytes for 1 and 2 threads', async () => {
    const matrix = randomSymmetric(600, 8);
    for (const each of [matrix, { ...matrix, data: Float32Array.from(matrix.data) }]) {
      const alone = await symmetricEigen<Float32Array | Float64Array>(each);
      await chooseEngine({ openBlas, threads: 2 });
      const together = await symmetricEigen<Float32Array | Float64Array>(each);
      await chooseEngine({ openBlas });
      expect(together.vectors.data).toEqual(alone.vectors.data);
      expect(together.values).toEqual(alone.values);
    }
  });

  it('refuses what is not square or not finite, and takes an empty matrix', async () => {
    await expect(symmetricEigen(randomMatrix(2, 3))).rejects.toThrow('2 x 3');
    const matrix = randomSymmetric(9);
    matrix.data[3 * 9 + 5] = Number.NaN;
    await expect(symmetricEigen(matrix)).rejects.toThrow('row 3, column 5 is NaN');
    matrix.data[3 * 9 + 5] = Number.NEGATIVE_INFINITY;
    await expect(symmetricEigen(matrix)).rejects.toThrow(RangeError);
    expect((await symmetricEigen(randomMatrix(0, 0))).values.length).toBe(0);
  });
});

it('agrees between engines', async () => {
  const matrix = randomSymmetric(150, 9);
  const all = [];
  for (const openBlas of await availableEngines()) {
    await chooseEngine({ openBlas });
    all.push((await symmetricEigen(matrix)).values);
  }
  for (const values of all) {
    for (let index = 0; index < 150; index++) expect(values[index]).toBeCloseTo(all[0]![index]!, 12);
  }
});

afterAll(() => chooseEngine());
