import { beforeAll, describe, expect, it } from 'vitest';
import { addGram } from './addGram.ts';
import { availableEngines } from './availableEngines.ts';
import { chooseEngine } from './engine.ts';
import { gemm } from './gemm.ts';
import type { Matrix } from './matrix.ts';
import { plainProduct, plainTranspose, randomMatrix, relativeDifference } from './plainLoops.ts';

const SIZES = [1, 2, 3, 5, 7, 17, 31, 33];

const single = (matrix: Matrix): Matrix<Float32Array> => ({ ...matrix, data: Float32Array.from(matrix.data) });

describe.each(await availableEngines())('gemm, OpenBLAS %s', openBlas => {
  beforeAll(() => chooseEngine({ openBlas }));

  for (const transposeA of [false, true]) {
    for (const transposeB of [false, true]) {
      it.each(SIZES)(`equals plain loops at size %i, transposed ${transposeA} ${transposeB}`, async size => {
        const [m, n, k] = [size, (size * 3) % 34, (size * 7) % 32];
        const a = randomMatrix(m, k, 1);
        const b = randomMatrix(k, n, 2);
        const output = randomMatrix(m, n, 3);
        const expected = plainProduct(a, b);
        const sum = expected.data.map((value, index) => -value + output.data[index]!);
        const givenA = transposeA ? plainTranspose(a) : a;
        const givenB = transposeB ? plainTranspose(b) : b;
        expect(relativeDifference(expected, await gemm(givenA, givenB, { transposeA, transposeB }))).toBeLessThan(
          1e-14,
        );
        const result = await gemm(single(givenA), single(givenB), { transposeA, transposeB });
        expect(result.data).toBeInstanceOf(Float32Array);
        expect(relativeDifference(expected, result)).toBeLessThan(1e-5);
        await gemm(givenA, givenB, { transposeA, transposeB, alpha: -1, beta: 1, output });
        expect(relativeDifference({ rows: m, columns: n, data: sum }, output)).toBeLessThan(1e-13);
      });
    }
  }

  it('works on views into larger arrays and touches nothing else', async () => {
    const storage = new Float64Array(20).fill(7);
    const output = { rows: 2, columns: 2, data: storage.subarray(5, 9) };
    await gemm(randomMatrix(2, 3), randomMatrix(3, 2), { output });
    expect(relativeDifference(plainProduct(randomMatrix(2, 3), randomMatrix(3, 2)), output)).toBeLessThan(1e-14);
    expect([...storage].filter(value => value === 7).length).toBe(16);
  });

  it('takes inputs in memory shared between threads', async () => {
    const shared = { rows: 3, columns: 3, data: new Float64Array(new SharedArrayBuffer(72)) };
    shared.data.set([1, 0, 0, 0, 2, 0, 0, 0, 3]);
    const result = await gemm<Float64Array>(shared, randomMatrix(3, 1));
    const column = randomMatrix(3, 1).data;
    expect([...result.data]).toEqual([column[0], 2 * column[1]!, 3 * column[2]!]);
  });

  it('adds Grams in place: two texts one after the other equal both at once', async () => {
    const gram = { rows: 17, columns: 17, data: new Float64Array(289) };
    const first = randomMatrix(40, 17, 5);
    const second = randomMatrix(9, 17, 6);
    await addGram(gram, first);
    await addGram(gram, second);
    const both = { rows: 49, columns: 17, data: Float64Array.of(...first.data, ...second.data) };
    expect(relativeDifference(plainProduct(plainTranspose(both), both), gram)).toBeLessThan(1e-14);
  });

  it.each([
    [900, 40, 950],
    [40, 900, 950],
  ])('gives the same bytes for 1, 2 and 3 threads at %i x %i x %i, and those of plain loops', async (m, n, k) => {
    const [a, b, c] = [randomMatrix(m, k, 8), randomMatrix(k, n, 9), randomMatrix(m, n, 10)];
    const product = plainProduct(a, b);
    const expected = { ...product, data: product.data.map((value, index) => 2 * value - c.data[index]!) };
    for (const [transposeA, transposeB] of [
      [false, false],
      [true, true],
    ] as const) {
      const givenA = transposeA ? plainTranspose(a) : a;
      const givenB = transposeB ? plainTranspose(b) : b;
      const all: Float64Array[] = [];
      for (const threads of [1, 2, 3]) {
        await chooseEngine({ openBlas, threads });
        const output = { ...c, data: c.data.slice() };
        await gemm(givenA, givenB, { transposeA, transposeB, alpha: 2, beta: -1, output });
        all.push(output.data);
      }
      await chooseEngine({ openBlas });
      expect(relativeDifference(expected, { ...c, data: all[0]! })).toBeLessThan(1e-13);
      expect(all[1]).toEqual(all[0]);
      expect(all[2]).toEqual(all[0]);
    }
  });

  it('refuses shapes that do not fit', async () => {
    await expect(gemm(randomMatrix(2, 3), randomMatrix(2, 3))).rejects.toThrow('[2, 3] x [2, 3]');
    await expect(gemm(randomMatrix(2, 3), randomMatrix(3, 2), { beta: 1 })).rejects.toThrow(RangeError);
  });
});
