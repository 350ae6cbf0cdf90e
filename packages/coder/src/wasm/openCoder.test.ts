import { expect, it } from 'vitest';
import { compileCoder } from '../../tools/compileCoder.ts';
import { coderBinary } from '../generated/coderBinary.ts';

it('is what the sources in assembly/ compile to', async () => {
  expect(coderBinary).toBe(Buffer.from(await compileCoder()).toString('base64'));
});
