import { expect, it } from 'vitest';
import { compileKernels } from '../../tools/compileKernels.ts';
import { kernelBinary } from '../generated/kernelBinary.ts';

it('is what the sources in assembly/ compile to', async () => {
  expect(kernelBinary).toBe(Buffer.from(await compileKernels()).toString('base64'));
});
