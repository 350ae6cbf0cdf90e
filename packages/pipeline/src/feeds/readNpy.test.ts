import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { npyBytes } from '../testSupport/npyBytes.ts';
import { temporaryFolder } from '../testSupport/temporaryFolder.ts';
import { readNpy, readNpyHeader } from './readNpy.ts';

const folder = temporaryFolder();
let count = 0;

async function save(bytes: Uint8Array): Promise<string> {
  const path = join(folder.path, `${count++}.npy`);
  await writeFile(path, bytes);
  return path;
}

/** numpy.save of numpy.array([[1, 2, 3], [4, 5, 6]], dtype='<f4'), byte for byte. */
const FROM_NUMPY = Buffer.concat([
  Buffer.from('934e554d505901007600', 'hex'),
  Buffer.from("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }".padEnd(117), 'latin1'),
  Buffer.from('0a0000803f0000004000004040000080400000a0400000c040', 'hex'),
]);

it('reads an array as numpy writes it', async () => {
  expect(FROM_NUMPY.length).toBe(128 + 24);
  const tensor = await readNpy(await save(FROM_NUMPY));
  expect(tensor).toEqual({ type: 'float32', dims: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) });
});

it.each([1, 2, 3] as const)('reads format %d', async version => {
  const path = await save(npyBytes('<i8', [3], BigInt64Array.of(1n, -2n, 2n ** 40n), { version }));
  expect(await readNpy(path)).toEqual({ type: 'int64', dims: [3], data: BigInt64Array.of(1n, -2n, 2n ** 40n) });
});

it.each([
  ['<f8', 'float64', Float64Array.of(0.1, -2)],
  ['<f2', 'float16', Uint16Array.of(0x3c00, 0xc000)],
  ['<i4', 'int32', Int32Array.of(7, -7)],
  ['|u1', 'uint8', Uint8Array.of(0, 255)],
  ['|i1', 'int8', Int8Array.of(-128, 127)],
  ['|b1', 'bool', Uint8Array.of(0, 1)],
] as const)('reads %s as %s', async (descriptor, type, data) => {
  expect(await readNpy(await save(npyBytes(descriptor, [1, 2], data)))).toEqual({ type, dims: [1, 2], data });
});

it('reads a scalar and an empty array', async () => {
  const scalar = await save(npyBytes('<i8', [], BigInt64Array.of(16000n)));
  expect(await readNpy(scalar)).toEqual({ type: 'int64', dims: [], data: BigInt64Array.of(16000n) });
  const empty = await save(npyBytes('<f4', [2, 1, 0, 8], new Float32Array(0)));
  expect(await readNpy(empty)).toEqual({ type: 'float32', dims: [2, 1, 0, 8], data: new Float32Array(0) });
});

describe('refuses', () => {
  const good = npyBytes('<f4', [2, 3], new Float32Array(6));
  it.each([
    ['an empty file', new Uint8Array(0), /no \.npy file/],
    ['another file', new TextEncoder().encode('P6 640 480 255 and so on'), /no \.npy file/],
    ['a file cut in the header', good.subarray(0, 40), /claims a header of 118 bytes; the file has 40/],
    ['a file cut in the elements', good.subarray(0, good.length - 1), /takes 24 bytes; the file holds 23/],
    ['a file with bytes after the elements', Buffer.concat([good, Buffer.of(0)]), /takes 24 bytes; the file holds 25/],
    ['format 4', Uint8Array.from(good).fill(4, 6, 7), /format 4/],
    ['big-endian elements', npyBytes('>f4', [2], new Float32Array(2)), /holds >f4; readable are <f4/],
    ['complex elements', npyBytes('<c8', [2], new Float64Array(2)), /holds <c8/],
    ['objects', npyBytes('|O', [2], new Float64Array(2)), /holds \|O/],
    ['Fortran order', npyBytes('<f4', [2, 3], new Float32Array(6), { fortranOrder: true }), /ascontiguousarray/],
    ['a negative size', npyBytes('<f4', [-2, 3], new Float32Array(6)), /no list of sizes/],
    ['a claim of 4 TB', npyBytes('<f4', [2 ** 20, 2 ** 20], new Float32Array(6)), /takes 4398046511104 bytes/],
    ['a claim beyond 2^53', npyBytes('<f4', [2 ** 40, 2 ** 40], new Float32Array(6)), /It is damaged/],
    ['a header that is no dictionary', Uint8Array.from(good).fill(0x20, 10, 127), /no description of an array/],
  ])('%s', async (_name, bytes, message) => {
    const path = await save(bytes);
    for (const read of [readNpyHeader, readNpy]) {
      const refusal = await read(path).catch(error => error as Error);
      expect(refusal).toMatchObject({ code: 'INVALID_FEEDS', message: expect.stringMatching(message) });
      expect((refusal as Error).message).toContain(path);
    }
  });

  it('a folder and a file that is not there', async () => {
    await expect(readNpyHeader(join(folder.path, 'none.npy'))).rejects.toMatchObject({ code: 'INVALID_FEEDS' });
  });
});
