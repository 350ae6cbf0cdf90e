import { afterAll, expect, it } from 'vitest';
import { availableEngines } from './availableEngines.ts';
import { chooseEngine, describeEngine } from './engine.ts';
import { gemm } from './gemm.ts';

afterAll(() => chooseEngine());

it('describes ONNX Runtime and says why when OpenBLAS is off', async () => {
  const chosen = await chooseEngine({ openBlas: 'off', threads: 2 });
  expect(chosen).toEqual({
    gemm: 'ONNX Runtime',
    factorization: 'WebAssembly and ONNX Runtime',
    threads: 2,
    openBlas: null,
    reason: 'switched off',
  });
  expect(await describeEngine()).toEqual(chosen);
});

it('refuses a library that is not there', async () => {
  await expect(chooseEngine({ openBlas: '/no/such/libopenblas.so' })).rejects.toThrow('/no/such/libopenblas.so');
});

it('starts no kernel once it was told to stop', async () => {
  const stop = new Int32Array(new SharedArrayBuffer(4));
  await chooseEngine({ openBlas: 'off', stop });
  const one = { rows: 1, columns: 1, data: Float64Array.of(3) };
  expect((await gemm(one, one)).data[0]).toBe(9);
  stop[0] = 1;
  await expect(gemm(one, one)).rejects.toThrow('told to stop');
  await chooseEngine();
});

it('takes OpenBLAS where it is found, and says why not elsewhere', async () => {
  const engines = await availableEngines();
  const { gemm, openBlas, reason } = await chooseEngine();
  expect(gemm).toBe(engines.includes('auto') ? 'OpenBLAS' : 'ONNX Runtime');
  expect(openBlas === null).toBe(reason !== null);
});
