import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openPacked } from '@quern/loader';
import {
  createModel,
  createWeightStore,
  DataType,
  floatInitializer,
  node,
  tensorInput,
  writeOnnxModel,
} from '@quern/onnx';
import { expect, it } from 'vitest';
import type { SiteReport } from '../../compressRequest.ts';
import { temporaryFolder } from '../../testSupport/temporaryFolder.ts';
import { measureSite } from './measureSite.ts';
import { packGraph } from './packGraph.ts';

const folder = temporaryFolder();

/** A graph with one n-bit product of 64 x 96 and its data in two files. */
async function writeModel(name: string): Promise<string> {
  const place = join(folder.path, name);
  await mkdir(place);
  const store = createWeightStore({ folder: place, fileName: 'model_q4.onnx_data', chunkBytes: 4000 });
  const codes = Uint8Array.from({ length: 64 * 48 }, (_, index) => 0x66 + ((index * 7) % 3) + 16 * ((index >> 3) % 4));
  const scales = Float16Array.from({ length: 64 * 3 * 4 }, (_, index) => 0.02 + (index % 50) / 1000);
  const tensors = [
    await store.add('w_Q4', DataType.UINT8, [64, 3, 16], codes),
    await store.add('w_scales', DataType.FLOAT, [64, 3], new Uint8Array(new Float32Array(192).buffer)),
    await store.add('halves', DataType.FLOAT16, [192, 4], new Uint8Array(scales.buffer)),
    await store.add('small', DataType.FLOAT, [4], new Uint8Array(16)),
  ];
  await store.close();
  const graph = join(place, 'model_q4.onnx');
  const model = createModel({
    folder: place,
    inputs: [tensorInput('x', DataType.FLOAT, ['tokens', 96])],
    outputs: [tensorInput('y', DataType.FLOAT, ['tokens', 64])],
    initializers: [...tensors, floatInitializer('unused', [1], [1])],
    nodes: [
      node('MatMulNBits', ['x', 'w_Q4', 'w_scales'], ['y'], {
        domain: 'com.microsoft',
        attributes: { K: { int: 96 }, N: { int: 64 }, bits: { int: 4 }, block_size: { int: 32 } },
      }),
    ],
  });
  await writeOnnxModel(model, graph);
  return graph;
}

it('replaces the data files by one packed file that gives every byte of them back', async () => {
  const graph = await writeModel('one');
  const names = ['model_q4.onnx_data', 'model_q4.onnx_data_1'];
  const before = await Promise.all(names.map(name => readFile(join(folder.path, 'one', name))));
  const packed = await packGraph(graph);
  expect(packed.path).toBe(join(folder.path, 'one', 'model_q4.quern'));
  for (const name of names) expect(await stat(join(folder.path, 'one', name)).catch(() => null)).toBeNull();
  const opened = await openPacked(packed.path);
  expect(opened.dataFiles.map(file => file.path)).toEqual(names);
  for (const [index, name] of names.entries()) {
    expect(Buffer.compare(await opened.decodeFile(name), before[index]!)).toBe(0);
  }
});

it('accounts for every byte of the packed file, and nothing of the header', async () => {
  const { path, bytes, sizes } = await packGraph(await writeModel('two'));
  expect(bytes).toBe((await stat(path)).size);
  // The other stands in the header.
  expect([...sizes.keys()].sort()).toEqual(['halves', 'w_Q4', 'w_scales']);
  expect([...sizes.values()].reduce((sum, size) => sum + size.bytes, 0)).toBe(bytes);
  // Codes 6 to 9: two bits, and the lowest.
  expect(sizes.get('w_Q4')).toMatchObject({ encoding: 'planes', containerBytes: 64 * 48 });
});

it('measures a site by what its tensors take in the file', () => {
  const site = {
    name: 's',
    storageBits: 8 * 1000 + 64,
    tensors: ['codes', 'scales', 'inline'],
  } as unknown as SiteReport;
  const sizes = new Map([
    ['codes', { encoding: 'rans', bytes: 500, planeBytes: 620, containerBytes: 800 } as const],
    ['scales', { encoding: 'halves', bytes: 150, planeBytes: 205, containerBytes: 200 } as const],
    ['other', { encoding: 'raw', bytes: 1, planeBytes: 1, containerBytes: 9 } as const],
  ]);
  expect(measureSite(site, sizes)).toMatchObject({
    storageBits: 8 * 650 + 64,
    packed: { encoding: 'rans', containerBits: 8 * 1000 + 64, planeBits: 8 * 825 + 64 },
  });
});

it('leaves the data files where they are when the graph cannot be packed', async () => {
  const graph = await writeModel('three');
  await writeFile(graph, 'no graph');
  await expect(packGraph(graph)).rejects.toMatchObject({ code: 'INVALID_ONNX' });
  expect((await stat(join(folder.path, 'three', 'model_q4.onnx_data'))).size).toBeGreaterThan(0);
});
