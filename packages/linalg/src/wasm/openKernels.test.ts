import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { compileKernels } from '../../tools/compileKernels.ts';
import { kernelBinary } from '../generated/kernelBinary.ts';

it('is what the sources in assembly/ compile to', async () => {
  expect(kernelBinary).toBe(Buffer.from(await compileKernels()).toString('base64'));
});

it('computes alike on every processor: nothing is fused where the machine can', async () => {
  const folder = join(import.meta.dirname, '..', '..', 'assembly');
  for (const name of (await readdir(folder)).filter(name => name.endsWith('.ts'))) {
    const source = await readFile(join(folder, name), 'utf8');
    // Truncation differs between machines only for what no i32 holds.
    expect([name, source.match(/relaxed_(?!trunc)\w+/g)]).toEqual([name, null]);
  }
});
