import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createModel, DataType, floatInitializer, node, type OnnxModel, tensorInput } from '@quern/onnx';
import { expect, it } from 'vitest';
import { npyBytes } from '../testSupport/npyBytes.ts';
import { temporaryFolder } from '../testSupport/temporaryFolder.ts';
import { openFeeds } from './openFeeds.ts';

const folder = temporaryFolder();

/** y = x + scale, where scale has a stored value. */
const single: OnnxModel = createModel({
  folder: '.',
  inputs: [tensorInput('x', DataType.FLOAT, ['rows', 2]), tensorInput('scale', DataType.FLOAT, [1])],
  outputs: [tensorInput('y', DataType.FLOAT, ['rows', 2])],
  initializers: [floatInitializer('scale', [3])],
  nodes: [node('Add', ['x', 'scale'], ['y'])],
});
const pair: OnnxModel = createModel({
  folder: '.',
  inputs: [tensorInput('a', DataType.FLOAT, ['n']), tensorInput('b', DataType.INT64, [])],
  outputs: [tensorInput('y', DataType.FLOAT, ['n'])],
  nodes: [node('Identity', ['a'], ['y'])],
});

async function lay(name: string, files: Readonly<Record<string, Uint8Array | string>>): Promise<string> {
  const root = join(folder.path, name);
  await mkdir(root, { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  return root;
}

const floats = (...values: number[]) => npyBytes('<f4', [values.length / 2, 2], Float32Array.from(values));
const flat = (...values: number[]) => npyBytes('<f4', [values.length], Float32Array.from(values));
const integer = (value: number) => npyBytes('<i8', [], BigInt64Array.of(BigInt(value)));

it('takes each .npy file as a sample of the only input', async () => {
  const feeds = await openFeeds(
    await lay('only', { 'b.npy': floats(3, 4), 'a.npy': floats(1, 2), '.note': 'x' }),
    single,
  );
  expect(feeds.count).toBe(2);
  expect((await feeds.read(0)).x!.data).toEqual(Float32Array.of(1, 2));
  expect((await feeds.read(1)).x!.data).toEqual(Float32Array.of(3, 4));
});

it('takes .npy files that are named after inputs as one sample', async () => {
  const feeds = await openFeeds(await lay('named', { 'a.npy': flat(1, 2, 3), 'b.npy': integer(7) }), pair);
  expect(feeds.count).toBe(1);
  expect(Object.keys(await feeds.read(0))).toEqual(['a', 'b']);
});

it('takes sub-folders and .json files as samples, in the order of their names', async () => {
  const json = JSON.stringify({ a: [5], b: 6 });
  const files = { '2/a.npy': flat(1), '2/b.npy': integer(1), '1.json': json, '3.json': json, 'notes.txt': 'skipped' };
  const feeds = await openFeeds(await lay('mixed', files), pair);
  const firsts = await Promise.all([0, 1, 2].map(async sample => (await feeds.read(sample)).a!.data[0]));
  expect([feeds.count, firsts]).toEqual([3, [5, 1, 5]]);
  expect((await openFeeds(join(folder.path, 'mixed'), pair, 2)).count).toBe(2);
});

it('takes a single file', async () => {
  const root = await lay('file', { 's.json': JSON.stringify({ a: [5], b: 6 }) });
  expect((await openFeeds(join(root, 's.json'), pair)).count).toBe(1);
});

it('has another hash for another content and another number of samples', async () => {
  const open = async (name: string, files: Record<string, Uint8Array>, maximum?: number) =>
    (await openFeeds(await lay(name, files), single, maximum)).sha256;
  const first = await open('h1', { 'a.npy': floats(1, 2), 'b.npy': floats(3, 4) });
  expect(await open('h2', { 'a.npy': floats(1, 2), 'b.npy': floats(3, 4) })).toBe(first);
  expect(await open('h3', { 'a.npy': floats(1, 2), 'b.npy': floats(3, 5) })).not.toBe(first);
  expect(await open('h1', {}, 1)).not.toBe(first);
});

it.each([
  ['none', {}, pair, /holds no samples/],
  ['part', { 'a.npy': flat(1) }, pair, /gives no tensor for "b"/],
  ['partJson', { 's.json': '{"a": [1]}' }, pair, /gives no tensor for "b"/],
  ['stray', { 'a.npy': flat(1), 'b.npy': integer(1), 'c.npy': flat(1) }, pair, /no input "c"; its inputs are a, b/],
  ['stored', { 'x.npy': floats(1, 2), 'scale.npy': flat(9) }, single, /"scale" has a value stored in the model/],
  ['storedJson', { 's.json': '{"x": [[1, 2]], "scale": [9]}' }, single, /"scale" has a value stored in the model/],
  ['type', { 'a.npy': flat(1), 'b.npy': flat(1) }, pair, /float32 for the input "b".*int64.*astype\('int64'\)/],
  ['shape', { 'x.npy': flat(1, 2) }, single, /shape \[2\].*takes \[\?, 2\]/],
  ['cut', { 'x.npy': floats(1, 2).subarray(0, 100) }, single, /damaged/],
])('refuses feeds: %s', async (name, files, model, message) => {
  const refusal = openFeeds(await lay(`bad-${name}`, files), model);
  await expect(refusal).rejects.toMatchObject({ code: 'INVALID_FEEDS', message: expect.stringMatching(message) });
});

it('refuses a folder that is not there', async () => {
  await expect(openFeeds(join(folder.path, 'nowhere'), pair)).rejects.toMatchObject({ code: 'INVALID_FEEDS' });
});
