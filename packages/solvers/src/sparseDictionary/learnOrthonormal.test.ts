import { chooseEngine, gemm } from '@quern/linalg';
import { afterAll, expect, it } from 'vitest';
import { learnOrthonormal } from './learnOrthonormal.ts';

afterAll(() => chooseEngine());

it('finds nearly as good a code when its sweeps are a graph, and exactly orthonormal atoms', async () => {
  const [rows, columns] = [120, 96];
  let state = 1;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  // Singular values that span two orders of magnitude.
  const data = new Float64Array(rows * columns).map((_, index) => next() / (1 + (index % columns)));
  const target = { rows, columns, data };
  const size = { atomCount: 96, nonzeroCount: 120 * 20 };
  await chooseEngine();
  const plain = await learnOrthonormal(target, size, 10);
  const lock = new Int32Array(new SharedArrayBuffer(4));
  await chooseEngine({ accelerator: { device: 'cpu', lock, leastFlops: 0 } });
  const sent = await learnOrthonormal(target, size, 10);
  expect(sent.objectives).toHaveLength(plain.objectives.length);
  // Turn about has many ends: other rounding leads to another, about as good.
  expect(Math.abs(Math.sqrt(sent.objectives.at(-1)! / plain.objectives.at(-1)!) - 1)).toBeLessThan(0.02);
  const gram = await gemm(sent.atoms, sent.atoms, { transposeB: true });
  gram.data.forEach((value, index) => {
    expect(Math.abs(value - (index % (size.atomCount + 1) === 0 ? 1 : 0))).toBeLessThan(1e-10);
  });
});
