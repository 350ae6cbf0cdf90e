import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { readSafetensorsHeader } from './readSafetensorsHeader.ts';
import { temporaryFolder } from './testSupport/temporaryFolder.ts';
import { writeRawSafetensors, writeSafetensors } from './testSupport/writeSafetensors.ts';

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});

test('lists tensors in the order of their bytes, with offsets from the start of the file', async () => {
  const path = join(folder, 'good.safetensors');
  const header = JSON.stringify({
    __metadata__: { format: 'pt' },
    second: { dtype: 'BF16', shape: [2, 3], data_offsets: [4, 16] },
    first: { dtype: 'F32', shape: [], data_offsets: [0, 4] },
    nothing: { dtype: 'I64', shape: [0, 7], data_offsets: [16, 16] },
  });
  await writeRawSafetensors(path, header, new Uint8Array(16));
  const start = 8 + header.length;
  const file = 'good.safetensors';
  expect(await readSafetensorsHeader(path)).toEqual([
    { name: 'first', dtype: 'F32', shape: [], file, offsetBytes: start, sizeBytes: 4 },
    { name: 'second', dtype: 'BF16', shape: [2, 3], file, offsetBytes: start + 4, sizeBytes: 12 },
    { name: 'nothing', dtype: 'I64', shape: [0, 7], file, offsetBytes: start + 16, sizeBytes: 0 },
  ]);
});

describe('refuses', () => {
  const tensor = (dtype: unknown, shape: unknown, offsets: unknown) =>
    JSON.stringify({ 'a.weight': { dtype, shape, data_offsets: offsets } });
  const cases: [title: string, header: string, dataBytes: number, message: RegExp][] = [
    ['an unknown element type', tensor('Q4', [4], [0, 2]), 2, /a\.weight has dtype "Q4", known are BOOL, .*F64/],
    ['a missing element type', tensor(undefined, [4], [0, 4]), 4, /a\.weight has dtype undefined/],
    ['a negative size', tensor('F32', [-1], [0, 4]), 4, /a\.weight has shape \[-1\]/],
    ['a fractional size', tensor('F32', [0.5], [0, 2]), 2, /a\.weight has shape \[0\.5\]/],
    ['a shape that is no list', tensor('F32', 4, [0, 16]), 16, /a\.weight has shape 4/],
    ['too few bytes for the shape', tensor('F32', [3], [0, 8]), 8, /takes 12 bytes but data_offsets cover 8/],
    ['too many bytes for the shape', tensor('F16', [3], [0, 8]), 8, /takes 6 bytes but data_offsets cover 8/],
    ['a shape beyond all numbers', tensor('F64', [2 ** 52, 2 ** 52], [0, 8]), 8, /data_offsets cover 8/],
    ['offsets in the wrong order', tensor('F32', [1], [4, 0]), 4, /data_offsets \[4,0\]/],
    ['offsets that are no pair', tensor('F32', [1], [0, 4, 8]), 8, /data_offsets \[0,4,8\]/],
    ['offsets that are missing', tensor('F32', [1], undefined), 4, /data_offsets undefined/],
    ['a tensor behind the end', tensor('F32', [2], [0, 8]), 7, /a\.weight ends at byte \d+ but the file has \d+/],
    ['a tensor without a description', JSON.stringify({ a: 3 }), 0, /tensor a has no description/],
    ['a header that is a list', '[]', 0, /not a JSON object/],
    ['a header that is no JSON', '{"a": ', 0, /not JSON/],
    ['a header that is no text', '\xff\xfe{', 0, /not JSON/],
    [
      'tensors that overlap',
      JSON.stringify({
        one: { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
        two: { dtype: 'F32', shape: [2], data_offsets: [4, 12] },
      }),
      12,
      /tensor two starts at byte \d+, inside one/,
    ],
  ];
  test.each(cases)('%s', async (title, header, dataBytes, message) => {
    const path = join(folder, `${title.replaceAll(' ', '-')}.safetensors`);
    await writeRawSafetensors(path, header, new Uint8Array(dataBytes));
    await expect(readSafetensorsHeader(path)).rejects.toMatchObject({
      code: 'INVALID_SAFETENSORS',
      message: expect.stringMatching(message),
    });
  });

  test('an empty file', async () => {
    const path = join(folder, 'empty.safetensors');
    await writeFile(path, '');
    await expect(readSafetensorsHeader(path)).rejects.toMatchObject({ code: 'INVALID_SAFETENSORS' });
  });

  test('a header length beyond the limit, before memory is taken', async () => {
    const path = join(folder, 'long.safetensors');
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(2n ** 63n);
    await writeFile(path, Buffer.concat([length, Buffer.from('{}')]));
    await expect(readSafetensorsHeader(path)).rejects.toMatchObject({
      code: 'INVALID_SAFETENSORS',
      message: expect.stringContaining('the limit is 100000000'),
    });
  });

  test('a file cut off inside the header', async () => {
    const path = join(folder, 'cut-header.safetensors');
    await writeSafetensors(path, [{ name: 'a', dtype: 'U8', shape: [4], bytes: new Uint8Array(4) }]);
    await truncate(path, 30);
    await expect(readSafetensorsHeader(path)).rejects.toMatchObject({
      code: 'INVALID_SAFETENSORS',
      message: expect.stringMatching(/the header needs \d+ bytes, the file has 30/),
    });
  });
});
