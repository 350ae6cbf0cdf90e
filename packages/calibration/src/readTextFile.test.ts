import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTextFile } from './readTextFile.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-text-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(bytes: Uint8Array | string): Promise<string> {
  const path = join(folder, 'text');
  await writeFile(path, bytes);
  return path;
}

describe('readTextFile', () => {
  it('gives the content with the size and sum of the stored bytes', async () => {
    // sha256 of "abc" is the first test vector of FIPS 180-2.
    expect(await readTextFile(await file('abc'))).toEqual({
      content: 'abc',
      bytes: 3,
      sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    });
  });

  it('unpacks gzip whatever the name and drops a byte-order mark', async () => {
    const { content } = await readTextFile(await file(gzipSync('\ufeffé—😀')));
    expect(content).toBe('é—😀');
  });

  it('stops a gzip file that unpacks to more than the limit', async () => {
    const path = await file(gzipSync(new Uint8Array(1_000_001).fill(97)));
    await expect(readTextFile(path, 1_000_000)).rejects.toMatchObject({
      code: 'INVALID_DATA_SET',
      message: expect.stringMatching(/more when unpacked; the limit is 1000000/),
    });
    expect((await readTextFile(path, 1_000_001)).content.length).toBe(1_000_001);
  });

  it('refuses a file above the limit before it is read', async () => {
    await expect(readTextFile(await file('abcd'), 3)).rejects.toThrow(/has 4 bytes; the limit is 3/);
  });

  it('refuses broken gzip, other encodings, folders and nothing', async () => {
    const packed = gzipSync('some text that is long enough');
    await expect(readTextFile(await file(packed.subarray(0, 20)))).rejects.toThrow(/does not unpack/);
    await expect(readTextFile(await file(Uint8Array.of(0x61, 0xe9, 0x62)))).rejects.toThrow(/not UTF-8/);
    await expect(readTextFile(folder)).rejects.toThrow(/is not a file/);
    await expect(readTextFile(join(folder, 'none'))).rejects.toThrow(/is not a file/);
  });
});
