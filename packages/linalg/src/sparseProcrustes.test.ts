import { afterAll, beforeAll, expect, it } from 'vitest';
import { chooseEngine } from './engine.ts';
import { gemm } from './gemm.ts';
import type { Matrix } from './matrix.ts';
import { plainProduct, plainTranspose, randomMatrix } from './plainLoops.ts';
import { polarFactor } from './polarFactor.ts';
import { qr } from './qr.ts';
import { sparseProcrustes } from './sparseProcrustes.ts';

const accelerator = { device: 'cpu', lock: new Int32Array(new SharedArrayBuffer(4)), leastFlops: 0 } as const;
beforeAll(() => chooseEngine({ accelerator }));
afterAll(() => chooseEngine());

/** One sweep in float64, with a singular value decomposition. */
async function plainSweep(target: Matrix<Float64Array>, atoms: Matrix<Float64Array>, keptPerRow: number) {
  const code = plainProduct(target, plainTranspose(atoms));
  for (let row = 0; row < code.rows; row++) {
    const values = code.data.subarray(row * code.columns, (row + 1) * code.columns);
    const limit = [...values].map(Math.abs).toSorted((a, b) => b - a)[keptPerRow - 1]!;
    for (let index = 0; index < values.length; index++) if (Math.abs(values[index]!) < limit) values[index] = 0;
  }
  const explained = code.data.reduce((sum, value) => sum + value * value, 0);
  return { atoms: await polarFactor(await gemm(code, target, { transposeA: true })), explained };
}

it.each([
  [40, 12, 12, 3, 1],
  [33, 17, 9, 2, 3],
  [64, 31, 31, 7, 4],
])('does what sweeps in float64 do, %i x %i, %i atoms', async (m, n, k, keptPerRow, sweeps) => {
  const target = randomMatrix(m, n, 1);
  const start = plainTranspose((await qr(randomMatrix(n, k, 2))).q);
  let expected = { atoms: start, explained: 0 };
  const explained: number[] = [];
  for (let sweep = 0; sweep < sweeps; sweep++) {
    expected = await plainSweep(target, expected.atoms, keptPerRow);
    explained.push(expected.explained);
  }
  const found = (await sparseProcrustes(target, start, { keptPerRow, sweeps }))!;
  for (const [sweep, value] of found.explained.entries()) expect(value / explained[sweep]!).toBeCloseTo(1, 4);
  const worst = found.atoms.data.reduce(
    (most, value, index) => Math.max(most, Math.abs(value - expected.atoms.data[index]!)),
    0,
  );
  expect(worst).toBeLessThan(2e-3);
});

it('is for accelerators, and for work that is worth sending', async () => {
  const target = randomMatrix(8, 4, 1);
  const start = plainTranspose((await qr(randomMatrix(4, 4, 2))).q);
  const options = { keptPerRow: 2, sweeps: 1 };
  expect(await sparseProcrustes(target, start, options)).not.toBeNull();
  await chooseEngine({ accelerator: { device: 'cpu', lock: accelerator.lock } });
  expect(await sparseProcrustes(target, start, options)).toBeNull();
  await chooseEngine();
  expect(await sparseProcrustes(target, start, options)).toBeNull();
});
