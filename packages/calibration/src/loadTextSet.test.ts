import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listTextSets } from './listTextSets.ts';
import { loadTextSet } from './loadTextSet.ts';

const TEXT = 'One\n<|endoftext|>\nTwo\n';

let sets = '';
beforeEach(async () => {
  sets = await mkdtemp(join(tmpdir(), 'quern-sets-'));
  await writeFile(join(sets, 'README.md'), 'not a set');
  await mkdir(join(sets, 'empty'));
  await plant('small', {});
});
afterEach(() => rm(sets, { recursive: true }));

async function plant(id: string, change: object): Promise<void> {
  const part = { file: 'a.txt', bytes: TEXT.length, sha256: sumOf(TEXT), documents: 2 };
  const parts = { calibration: { ...part, ...change }, evaluation: part };
  const manifest = { id, title: 'Small', language: 'en', licence: 'CC0-1.0', source: 'here', parts };
  await mkdir(join(sets, id));
  await writeFile(join(sets, id, 'a.txt'), TEXT);
  await writeFile(join(sets, id, 'manifest.json'), JSON.stringify(manifest));
}

function sumOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

describe('loadTextSet', () => {
  it('loads a part of a set by name', async () => {
    expect(await loadTextSet('small', 'calibration', sets)).toEqual({
      id: 'small',
      path: join(sets, 'small', 'a.txt'),
      sha256: sumOf(TEXT),
      licence: 'CC0-1.0',
      sources: [{ id: 'small', sha256: sumOf(TEXT) }],
      documents: ['One', 'Two'],
    });
  });

  it('loads any text file, packed or not, whatever the part', async () => {
    const path = join(sets, 'mine.jsonl.gz');
    const packed = gzipSync('{"text":"x"}\n{"text":"y"}');
    await writeFile(path, packed);
    const sha256 = createHash('sha256').update(packed).digest('hex');
    expect(await loadTextSet(path, 'evaluation', sets)).toEqual({
      id: 'mine.jsonl.gz',
      path,
      sha256,
      licence: null,
      sources: [{ id: 'mine.jsonl.gz', sha256 }],
      documents: ['x', 'y'],
    });
  });

  it('lists the sets when a name is neither set nor file', async () => {
    await plant('other', {});
    await expect(loadTextSet('storys', 'calibration', sets)).rejects.toMatchObject({
      code: 'INVALID_DATA_SET',
      message: expect.stringMatching(/"storys".*Sets: other, small\./),
      context: { known: ['other', 'small'] },
    });
    await expect(loadTextSet('empty', 'calibration', sets)).rejects.toThrow(/neither a text set nor a file/);
  });

  it.each([
    ['bytes', TEXT.length + 1],
    ['sha256', '0'.repeat(64)],
    ['documents', 3],
  ])('refuses a set whose %s differ from the manifest', async (key, value) => {
    await plant('changed', { [key]: value });
    await expect(loadTextSet('changed', 'calibration', sets)).rejects.toMatchObject({
      code: 'INVALID_DATA_SET',
      context: { key, expected: value },
    });
    expect((await loadTextSet('changed', 'evaluation', sets)).documents).toEqual(['One', 'Two']);
  });

  it.each([
    [{ file: '../small/a.txt' }, /no file of its own folder in "parts\.calibration\.file"/],
    [{ sha256: 'abc' }, /no sha256 sum in "parts\.calibration\.sha256"/],
    [{ bytes: -1 }, /no count in "parts\.calibration\.bytes"/],
  ])('refuses a manifest with %j', async (change, message) => {
    await plant('broken', change);
    await expect(loadTextSet('broken', 'evaluation', sets)).rejects.toMatchObject({
      code: 'INVALID_DATA_SET',
      message: expect.stringMatching(message),
    });
    await expect(listTextSets(sets)).rejects.toThrow(message);
    expect((await loadTextSet('small', 'evaluation', sets)).id).toBe('small');
  });
});

describe('listTextSets', () => {
  it('gives the manifests by name and passes over what is no set', async () => {
    await plant('a-set', {});
    const found = await listTextSets(sets);
    expect(found.map(set => [set.id, set.licence, set.parts.evaluation.documents])).toEqual([
      ['a-set', 'CC0-1.0', 2],
      ['small', 'CC0-1.0', 2],
    ]);
  });

  it('finds nothing in a folder that does not exist', async () => {
    expect(await listTextSets(join(sets, 'none'))).toEqual([]);
  });

  it('refuses a manifest that is no JSON or carries another name', async () => {
    await writeFile(join(sets, 'empty', 'manifest.json'), '{');
    await expect(listTextSets(sets)).rejects.toThrow(/is not JSON/);
    await rm(join(sets, 'empty'), { recursive: true });
    await plant('renamed', {});
    await mkdir(join(sets, 'copy'));
    await writeFile(
      join(sets, 'copy', 'manifest.json'),
      JSON.stringify({ id: 'renamed', title: 't', language: 'l', licence: 'l', source: 's' }),
    );
    await expect(listTextSets(sets)).rejects.toThrow(/id "renamed", not its folder's name/);
  });
});
