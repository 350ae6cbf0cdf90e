import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createModel } from '../build/createModel.ts';
import { DataType } from '../dataType.ts';
import type { TensorProto } from '../generated/onnx_pb.js';
import { readTensor } from '../read/readTensor.ts';
import { scratchFolder } from '../testing/scratchFolder.ts';
import { createWeightStore } from './weightStore.ts';

const folder = scratchFolder();

function pattern(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 7 + seed) & 255);
}

function entries(tensor: TensorProto): Record<string, string> {
  return Object.fromEntries(tensor.externalData.map(({ key, value }) => [key, value]));
}

describe('createWeightStore', () => {
  it('keeps small tensors in the header and writes the others, aligned, in the order of the calls', async () => {
    const store = createWeightStore({ folder: folder.path, fileName: 'order.data' });
    const [small, first, second] = await Promise.all([
      store.add('small', DataType.UINT8, [63], pattern(63, 1)),
      store.add('first', DataType.FLOAT, [5, 100], pattern(2000, 2)),
      store.add('second', DataType.UINT8, [64], pattern(64, 3)),
    ]);
    expect(small!.rawData).toEqual(pattern(63, 1));
    expect(entries(first!)).toEqual({ location: 'order.data', offset: '0', length: '2000' });
    expect(entries(second!)).toEqual({ location: 'order.data', offset: '2048', length: '64' });
    expect(await readdir(folder.path)).toContain('order.data.partial');
    const files = await store.close();
    expect(files).toEqual([{ path: join(folder.path, 'order.data'), bytes: 2112 }]);
    const bytes = await readFile(join(folder.path, 'order.data'));
    expect(bytes.length).toBe(2112);
    const model = createModel({ folder: folder.path, nodes: [], inputs: [], outputs: [] });
    expect((await readTensor(model, first!)).bytes).toEqual(pattern(2000, 2));
    expect((await readTensor(model, second!)).bytes).toEqual(pattern(64, 3));
  });

  it('starts a new file before one passes the limit', async () => {
    const store = createWeightStore({ folder: folder.path, fileName: 'chunks.data', chunkBytes: 4096 });
    const tensors: TensorProto[] = [];
    for (const length of [2000, 2048, 2000, 4096, 1024]) {
      tensors.push(await store.add(`t${length}`, DataType.UINT8, [length], pattern(length, length)));
    }
    expect(tensors.map(tensor => entries(tensor).location)).toEqual([
      'chunks.data',
      'chunks.data',
      'chunks.data_1',
      'chunks.data_2',
      'chunks.data_3',
    ]);
    const files = await store.close();
    expect(files.map(({ bytes }) => bytes)).toEqual([4096, 2000, 4096, 1024]);
    const model = createModel({ folder: folder.path, nodes: [], inputs: [], outputs: [] });
    for (const tensor of tensors) {
      const length = Number(tensor.dims[0]);
      expect((await readTensor(model, tensor)).bytes).toEqual(pattern(length, length));
    }
    await expect(store.add('large', DataType.UINT8, [4097], pattern(4097, 0))).rejects.toMatchObject({
      code: 'UNSUPPORTED_MODEL',
    });
  });

  it('takes a tensor in pieces and refuses pieces that do not fill it', async () => {
    const store = createWeightStore({ folder: folder.path, fileName: 'pieces.data' });
    async function* pieces(...lengths: number[]) {
      for (const length of lengths) yield pattern(length, length);
    }
    const tensor = await store.addStream('t', DataType.UINT4, [3, 1001], pieces(700, 802));
    await expect(store.addStream('short', DataType.UINT8, [2000], pieces(700))).rejects.toThrow('700 bytes');
    await expect(store.addStream('long', DataType.UINT8, [2000], pieces(1500, 501))).rejects.toThrow('2001 bytes');
    await expect(store.addStream('tiny', DataType.UINT8, [10], pieces(11))).rejects.toThrow('11 bytes');
    await store.close();
    const bytes = await readFile(join(folder.path, 'pieces.data'));
    expect(new Uint8Array(bytes.subarray(0, 1502))).toEqual(Uint8Array.of(...pattern(700, 700), ...pattern(802, 802)));
    expect(entries(tensor).length).toBe('1502');
  });

  it('leaves nothing behind when it is aborted', async () => {
    const store = createWeightStore({ folder: join(folder.path, 'aborted'), fileName: 'a.data', chunkBytes: 2048 });
    await store.add('a', DataType.UINT8, [2048], pattern(2048, 1));
    await store.add('b', DataType.UINT8, [2048], pattern(2048, 1));
    expect((await readdir(join(folder.path, 'aborted'))).sort()).toEqual(['a.data.partial', 'a.data_1.partial']);
    await store.abort();
    expect(await readdir(join(folder.path, 'aborted'))).toEqual([]);
  });

  it('tells which tensors it made', async () => {
    const store = createWeightStore({ folder: folder.path, fileName: 'own.data' });
    const other = createWeightStore({ folder: folder.path, fileName: 'other.data' });
    const small = await store.add('s', DataType.UINT8, [1], pattern(1, 1));
    const large = await store.add('l', DataType.UINT8, [2048], pattern(2048, 1));
    expect([small, large].map(tensor => store.owns(tensor))).toEqual([true, true]);
    expect([small, large].map(tensor => other.owns(tensor))).toEqual([false, false]);
    await store.close();
  });

  it('reports a folder that cannot be written', async () => {
    const store = createWeightStore({ folder: '/dev/null/nowhere', fileName: 'x.data' });
    const failure = store.add('t', DataType.UINT8, [2048], pattern(2048, 1));
    await expect(failure).rejects.toMatchObject({ code: 'WRITE_FAILED' });
    await store.abort();
  });
});
