import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { readCheckpointTensors } from './readCheckpointTensors.ts';
import { temporaryFolder } from './testSupport/temporaryFolder.ts';
import { writeSafetensors } from './testSupport/writeSafetensors.ts';

const SHARDS = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'] as const;

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
  await write(SHARDS[0], 'a');
  await write(SHARDS[1], 'b');
  await writeIndex({ a: SHARDS[0], b: SHARDS[1] });
});

function write(file: string, name: string): Promise<void> {
  return writeSafetensors(join(folder, file), [{ name, dtype: 'U8', shape: [3], bytes: new Uint8Array(3) }]);
}

function writeIndex(weightMap: unknown): Promise<void> {
  return writeFile(join(folder, 'model.safetensors.index.json'), JSON.stringify({ weight_map: weightMap }));
}

async function listed(): Promise<Record<string, string>> {
  const { tensors } = await readCheckpointTensors(folder);
  return Object.fromEntries([...tensors].map(([name, { file }]) => [name, file]));
}

test('joins the shards of an index', async () => {
  expect(await listed()).toEqual({ a: SHARDS[0], b: SHARDS[1] });
});

test('prefers the single file', async () => {
  await write('model.safetensors', 'c');
  expect(await listed()).toEqual({ c: 'model.safetensors' });
});

test('follows links to the folder that holds the files', async () => {
  const blobs = join(folder, 'blobs');
  await mkdir(blobs);
  for (const [index, shard] of SHARDS.entries()) {
    await rename(join(folder, shard), join(blobs, `blob${index}`));
    await symlink(join(blobs, `blob${index}`), join(folder, shard));
  }
  expect((await readCheckpointTensors(folder)).folder).toBe(blobs);
  expect(await listed()).toEqual({ a: 'blob0', b: 'blob1' });
});

describe('refuses', () => {
  test('a folder without weights', async () => {
    await rm(join(folder, 'model.safetensors.index.json'));
    await expect(listed()).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
  });

  test('a missing shard, naming it and a tensor', async () => {
    await rm(join(folder, SHARDS[1]));
    await expect(listed()).rejects.toMatchObject({
      code: 'MISSING_TENSOR',
      message: expect.stringMatching(/model-00002-of-00002\.safetensors is not in .* 1 tensors there, such as b/),
    });
  });

  test('a shard without the tensor that the index promises', async () => {
    await writeIndex({ a: SHARDS[0], b: SHARDS[1], c: SHARDS[1] });
    await expect(listed()).rejects.toMatchObject({
      code: 'MISSING_TENSOR',
      message: expect.stringContaining('model-00002-of-00002.safetensors has no tensor c'),
    });
  });

  test('a tensor in two shards', async () => {
    await write(SHARDS[1], 'a');
    await expect(listed()).rejects.toMatchObject({
      code: 'INVALID_SAFETENSORS',
      message: expect.stringContaining('tensor a is in both'),
    });
  });

  test.each([
    ['a path upwards', { a: '../model.safetensors' }],
    ['an absolute path', { a: '/models/model.safetensors' }],
    ['another kind of file', { a: 'pytorch_model.bin' }],
    ['a number', { a: 3 }],
    ['no entries', {}],
    ['a list', ['a']],
    ['nothing', null],
  ])('an index with %s', async (_, weightMap) => {
    await writeIndex(weightMap);
    await expect(listed()).rejects.toMatchObject({ code: 'INVALID_SAFETENSORS' });
  });

  test('an index that is no JSON', async () => {
    await writeFile(join(folder, 'model.safetensors.index.json'), '{');
    await expect(listed()).rejects.toMatchObject({ code: 'INVALID_SAFETENSORS' });
  });

  test('shards that are links into different folders', async () => {
    const elsewhere = join(folder, 'elsewhere');
    await mkdir(elsewhere);
    await rename(join(folder, SHARDS[1]), join(elsewhere, 'blob'));
    await symlink(join(elsewhere, 'blob'), join(folder, SHARDS[1]));
    await expect(listed()).rejects.toMatchObject({
      code: 'INVALID_SAFETENSORS',
      message: expect.stringContaining('different folders'),
    });
  });
});
