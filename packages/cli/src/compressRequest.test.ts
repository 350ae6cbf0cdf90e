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

describe('a budget', () => {
  it.each([
    [['--bits-per-weight', '2.25'], [], { method: 'gptq', bitsPerWeight: '2.25' }],
    [['--target-size', '3 MiB'], [], { targetSize: '3 MiB' }],
    [['--max-perplexity-increase', '2%'], ['method: rtn'], { maxPerplexityIncrease: '2%', methods: ['rtn'] }],
    [['--method', 'watersic', '--bits-per-weight', '3'], ['method: gptq'], { methods: ['watersic'] }],
    [['--method', 'gptq:4', '--bits-per-weight', '4.2'], [], { method: 'gptq', methods: ['gptq:4'] }],
    [['--methods', 'gptq, rtn:8', '--target-size', '2MB'], ['methods: [rtn]'], { methods: ['gptq', 'rtn:8'] }],
    [['--method', 'rtn'], ['targetSize: 2MB'], { targetSize: '2MB', methods: ['rtn'] }],
  ])('%j with %j is %j', async (args, file, expected) => {
    expect(await recipeOf(args, file)).toMatchObject(expected);
  });

  it('leaves methods open where none is named', async () => {
    expect(await recipeOf(['--bits-per-weight', '3'])).not.toHaveProperty('methods');
  });

  it('stands instead of what a recipe file says in another way', async () => {
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
    [['--bits-per-weight', '2'], ['method: none'], 'method (none)'],
    [['--methods', 'gptq,rtn'], [], 'methods: only a budget chooses among methods'],
    [['--method', 'gptq', '--methods', 'gptq,rtn', '--bits-per-weight', '2'], [], '--method and --methods'],
    [[], ['bits: 3', 'bitsPerWeight: 3'], 'bits (3): a budget chooses it'],
    [[], ['targetSize: 3MB', 'bitsPerWeight: 3'], 'several budgets'],
  ])('%j with %j is refused', async (args, file, message) => {
    await expect(recipeOf(args, file)).rejects.toMatchObject({ message: expect.stringContaining(message) });
  });
});

it('leaves the storage to the plan unless it is given', async () => {
  expect(await recipeOf([])).not.toHaveProperty('storage');
  expect(await recipeOf(['--storage', 'container'])).toMatchObject({ storage: 'container' });
});
