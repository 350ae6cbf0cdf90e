import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addCompressOptions, type CompressFlags } from './compressFlags.ts';
import { compressRequest } from './compressRequest.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-flags-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The recipe that a command line and the lines of a recipe file make. */
async function recipeOf(args: readonly string[], file: readonly string[] = []) {
  const path = join(folder, 'recipe.yaml');
  await writeFile(path, file.join('\n'));
  const command = addCompressOptions('compress').parse(['model', ...args], { from: 'user' });
  const recipe = file.length === 0 ? {} : { recipe: path };
  return (await compressRequest('model', { ...command.opts<CompressFlags>(), ...recipe }, false)).recipe;
}

describe('what is given as bits per weight or as a size', () => {
  it.each([
    [['--bits-per-weight', '2.25'], [], { method: 'watersic', bits: 2.25 }],
    [['--method', 'watersic', '--bits-per-weight', '3'], ['method: gptq'], { method: 'watersic', bits: 3 }],
    [['--target-size', '3 MiB'], [], { method: 'watersic', targetSize: '3 MiB' }],
    // A file may mix methods.
    [['--target-size', '2MB'], ['method: none'], { method: 'none', targetSize: '2MB' }],
  ])('%j with %j is %j', async (args, file, expected) => {
    expect(await recipeOf(args, file)).toMatchObject(expected);
  });

  it('stands instead of the other in a recipe file', async () => {
    expect(await recipeOf(['--target-size', '2MB'], ['method: watersic', 'bits: 3'])).not.toHaveProperty('bits');
    const sized = ['method: watersic', 'targetSize: 2MB'];
    for (const flags of [
      ['--bits-per-weight', '2'],
      ['--bits', '2'],
      ['--method', 'watersic:2'],
    ]) {
      expect(await recipeOf(flags, sized)).not.toHaveProperty('targetSize');
    }
    expect(await recipeOf([], sized)).toMatchObject({ targetSize: '2MB' });
  });

  it.each([
    [['--target-size', '2MB', '--method', 'gptq'], [], '--target-size 2MB: gptq has fixed widths'],
    [['--bits-per-weight', '2'], ['method: rtn'], '--bits-per-weight 2: rtn has fixed widths'],
    [['--bits-per-weight', '2', '--method', 'watersic:3'], [], 'bits are given by --method watersic:3'],
    [['--bits-per-weight', '0.5'], [], 'bits (0.5)'],
  ])('%j with %j is refused', async (args, file, message) => {
    await expect(recipeOf(args, file)).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining(message),
    });
  });
});

it('leaves the storage to the plan unless it is given', async () => {
  expect(await recipeOf([])).not.toHaveProperty('storage');
  expect(await recipeOf(['--storage', 'container'])).toMatchObject({ storage: 'container' });
});
