import { inverse, Matrix as PeerMatrix } from 'ml-matrix';
import { beforeAll, describe, expect, it } from 'vitest';
import { availableEngines } from './availableEngines.ts';
import { cholesky } from './cholesky.ts';
import { choleskyOfInverse } from './choleskyOfInverse.ts';
import { chooseEngine } from './engine.ts';
import { invertPositiveDefinite } from './invertPositiveDefinite.ts';
import type { Matrix } from './matrix.ts';
import {
  plainCholesky,
  plainProduct,
  plainTranspose,
  randomGram,
  randomMatrix,
  relativeDifference,
} from './plainLoops.ts';
import { solveTriangular } from './solveTriangular.ts';

/** The last four cross the size at which factorisations split. */
const SIZES = [1, 2, 3, 5, 7, 17, 31, 33, 64, 65, 129, 200];

const identity = (n: number): Matrix<Float64Array> => ({
  rows: n,
  columns: n,
  data: Float64Array.from({ length: n * n }, (_, index) => (index % (n + 1) === 0 ? 1 : 0)),
});

describe.each(await availableEngines())('factorisations, OpenBLAS %s', openBlas => {
  beforeAll(() => chooseEngine({ openBlas }));

  it.each(SIZES)('cholesky equals the textbook recurrence at %i', async n => {
    const gram = randomGram(n, 0.1);
    const before = gram.data.slice();
    const lower = await cholesky(gram, 'lower');
    const upper = await cholesky(gram, 'upper');
    expect(relativeDifference(plainCholesky(gram), lower.matrix!)).toBeLessThan(1e-12);
    expect(plainTranspose(lower.matrix!).data).toEqual(upper.matrix!.data);
    expect(gram.data).toEqual(before);
  });

  it.each(SIZES)('cholesky of an ill-conditioned Gram multiplies back at %i', async n => {
    const gram = randomGram(n, 1e-11, 6);
    const upper = (await cholesky(gram, 'upper')).matrix!;
    expect(relativeDifference(gram, plainProduct(plainTranspose(upper), upper))).toBeLessThan(n * 1e-15);
  });

  it.each([
    [1, 0],
    [5, 3],
    [65, 64],
    [130, 40],
    [130, 100],
  ])('cholesky of %i rows names row %i as not positive definite', async (n, row) => {
    const gram = randomGram(n, 1);
    gram.data[row * n + row] = -1e-3;
    expect(await cholesky(gram, 'upper')).toEqual({ matrix: null, pivot: row });
    gram.data[row * n + row] = Number.NaN;
    expect(await cholesky(gram, 'lower')).toEqual({ matrix: null, pivot: row });
    expect(await choleskyOfInverse(gram)).toEqual({ matrix: null, pivot: row });
  });

  it.each(SIZES)('choleskyOfInverse gives U with U^T U A = I at %i', async n => {
    const gram = randomGram(n, 0.5);
    const before = gram.data.slice();
    const upper = (await choleskyOfInverse(gram)).matrix!;
    const product = plainProduct(plainProduct(plainTranspose(upper), upper), gram);
    expect(relativeDifference(identity(n), product)).toBeLessThan(1e-11);
    for (let row = 0; row < n; row++) {
      expect(upper.data[row * n + row]).toBeGreaterThan(0);
      expect(upper.data.subarray(row * n, row * n + row).every(value => value === 0)).toBe(true);
    }
    expect(gram.data).toEqual(before);
    // The same in the memory of the matrix.
    const inPlace = (await choleskyOfInverse(gram, { overwrite: true })).matrix!;
    expect(inPlace.data).toBe(gram.data);
    expect(inPlace.data).toEqual(upper.data);
  });

  it('choleskyOfInverse equals the factor of the inverse that another library makes', async () => {
    const gram = randomGram(33, 0.5);
    const peer = inverse(
      new PeerMatrix(Array.from({ length: 33 }, (_, row) => [...gram.data.subarray(row * 33, row * 33 + 33)])),
    );
    const inverseGram = { rows: 33, columns: 33, data: Float64Array.from(peer.to1DArray()) };
    const upper = (await choleskyOfInverse(gram)).matrix!;
    expect(relativeDifference(plainTranspose(plainCholesky(inverseGram)), upper)).toBeLessThan(1e-11);
    const result = (await invertPositiveDefinite(gram)).matrix!;
    expect(relativeDifference(inverseGram, result)).toBeLessThan(1e-12);
  });

  it.each(SIZES)('choleskyOfInverse survives a condition number of 1e12 at %i', async n => {
    const gram = randomGram(n, 1e-11, 6);
    const upper = (await choleskyOfInverse(gram)).matrix!;
    // R = U^-1 has A = R R^T: solving gives the backward error without the condition number of the inverse.
    const r = await solveTriangular(upper, identity(n), { triangle: 'upper' });
    expect(relativeDifference(gram, plainProduct(r, plainTranspose(r)))).toBeLessThan(1e-9);
  });

  it.each(SIZES)('invertPositiveDefinite is symmetric and inverts at %i', async n => {
    const gram = randomGram(n, 0.5);
    const result = (await invertPositiveDefinite(gram)).matrix!;
    expect(relativeDifference(identity(n), plainProduct(result, gram))).toBeLessThan(1e-11);
    expect(plainTranspose(result).data).toEqual(result.data);
  });

  it.each(SIZES)('solveTriangular solves every combination at %i', async n => {
    const factor = plainCholesky(randomGram(n, 1));
    const filled = { ...factor, data: factor.data.map((value, index) => (value === 0 ? 99 + index : value)) };
    const left = randomMatrix(n, 11, 4);
    const right = randomMatrix(11, n, 5);
    for (const transposed of [false, true]) {
      const lower = transposed ? plainTranspose(factor) : factor;
      const upper = transposed ? factor : plainTranspose(factor);
      const filledUpper = plainTranspose(filled);
      const solve = async (triangle: 'upper' | 'lower', side: 'left' | 'right') =>
        solveTriangular(triangle === 'lower' ? filled : filledUpper, side === 'left' ? left : right, {
          triangle,
          transposed,
          side,
        });
      expect(relativeDifference(left, plainProduct(lower, await solve('lower', 'left')))).toBeLessThan(1e-12);
      expect(relativeDifference(left, plainProduct(upper, await solve('upper', 'left')))).toBeLessThan(1e-12);
      expect(relativeDifference(right, plainProduct(await solve('lower', 'right'), lower))).toBeLessThan(1e-12);
      expect(relativeDifference(right, plainProduct(await solve('upper', 'right'), upper))).toBeLessThan(1e-12);
    }
    expect(left.data).toEqual(randomMatrix(n, 11, 4).data);
  });

  it('takes more right-hand sides than a kernel call', async () => {
    const factor = plainCholesky(randomGram(70, 1));
    const sides = randomMatrix(70, 521, 7);
    const solution = await solveTriangular(factor, sides, { triangle: 'lower' });
    expect(relativeDifference(sides, plainProduct(factor, solution))).toBeLessThan(1e-12);
  });

  it('refuses matrices that are not square', async () => {
    await expect(cholesky(randomMatrix(2, 3), 'upper')).rejects.toThrow('2 x 3');
    await expect(choleskyOfInverse(randomMatrix(2, 3))).rejects.toThrow('2 x 3');
    await expect(solveTriangular(identity(3), randomMatrix(2, 3), { triangle: 'upper' })).rejects.toThrow('2 x 3');
  });
});
