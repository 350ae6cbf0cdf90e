import { EigenvalueDecomposition, inverse, Matrix as NaiveMatrix } from 'ml-matrix';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { encodeGraph } from '../onnxruntime/encodeGraph.ts';
import { plainProduct, plainTranspose, randomMatrix } from '../plainLoops.ts';
import { addInverse, inverseConstants } from './addInverse.ts';
import { createGraphWriter } from './createGraphWriter.ts';

async function inverseOf(data: Float32Array, n: number): Promise<Float32Array> {
  const writer = createGraphWriter();
  const found = addInverse(writer, 'matrix', 'identity');
  const square = (name: string) => ({ name, dimensions: ['n', 'n'] });
  const graph = encodeGraph({
    ...{ name: 'inverse', precision: 'float32', opset: 18, nodes: writer.nodes },
    ...{ inputs: ['matrix', 'identity'].map(square), outputs: [square(found)] },
    wholeNumbers: { rowAxis: [1] },
    scalars: { ...inverseConstants(), tiny: 1e-30 },
  });
  const session = await InferenceSession.create(graph, { logSeverityLevel: 3 });
  const identity = new Float32Array(n * n).map((_, index) => Number(index % (n + 1) === 0));
  const outputs = await session.run({
    matrix: new Tensor('float32', data, [n, n]),
    identity: new Tensor('float32', identity, [n, n]),
  });
  await session.release();
  return outputs[found]!.data as Float32Array;
}

/** A Gram, of `rows` times n values, and a multiple of the identity. */
function gramOf(rows: number, n: number, shift: number): Float32Array {
  const x = randomMatrix(rows, n, 3);
  const gram = plainProduct(plainTranspose(x), x);
  return Float32Array.from(gram.data, (value, index) => value + (index % (n + 1) === 0 ? shift : 0));
}

const naive = (data: ArrayLike<number>, n: number) => NaiveMatrix.from1DArray(n, n, [...Array.from(data)]);

describe('the inverse from products', () => {
  it.each([
    [1, 1, 0],
    [2, 1, 0.5],
    [17, 40, 0],
    [33, 20, 0.1],
    [31, 31, 100],
  ])('is that of elimination to a thousandth, %i x %i', async (n, rows, shift) => {
    const matrix = gramOf(rows, n, shift);
    const found = naive(await inverseOf(matrix, n), n);
    const expected = inverse(naive(matrix, n));
    expect(NaiveMatrix.sub(found, expected).norm() / expected.norm()).toBeLessThan(2e-3);
  });

  it('is never more than the inverse where some directions have nothing', async () => {
    const n = 12;
    const matrix = naive(gramOf(7, n, 0), n);
    const found = naive(await inverseOf(Float32Array.from(matrix.to1DArray()), n), n);
    // Eigenvalues of X A are those of A^1/2 X A^1/2: between 0 and 1, and 0 five times.
    const { realEigenvalues } = new EigenvalueDecomposition(found.mmul(matrix));
    const sorted = realEigenvalues.toSorted((a, b) => a - b);
    for (const value of sorted.slice(0, 5)) expect(Math.abs(value)).toBeLessThan(1e-2);
    for (const value of sorted.slice(5)) {
      expect(value).toBeGreaterThan(0.99);
      expect(value).toBeLessThan(1.001);
    }
  });
});
