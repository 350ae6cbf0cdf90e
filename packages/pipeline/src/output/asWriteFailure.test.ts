import { CompressionError } from '@quern/core';
import { expect, it } from 'vitest';
import { asWriteFailure } from './asWriteFailure.ts';

const systemError = (code: string, syscall: string) => Object.assign(new Error(code), { code, syscall });

it.each([
  ['ENOSPC', 'write', /no space is left.*ENOSPC/],
  ['EFBIG', 'write', /limit on its size/],
  ['EROFS', 'mkdir', /read-only/],
  ['EACCES', 'mkdir', /may not be written to/],
])('names the folder when the system says %s', (code, syscall, message) => {
  const failure = asWriteFailure(systemError(code, syscall), 'out/q4');
  expect(failure).toMatchObject({ code: 'WRITE_FAILED', message: expect.stringMatching(message) });
  expect((failure as Error).message).toContain('--out out/q4');
});

it('tells by the source of a copy which side may not be used', () => {
  const copy = (path: string) => Object.assign(systemError('EACCES', 'copyfile'), { path, dest: 'out/tokenizer.json' });
  expect(asWriteFailure(copy(import.meta.filename), 'out')).toMatchObject({ code: 'WRITE_FAILED' });
  const unreadable = copy(`${import.meta.filename}.gone`);
  expect(asWriteFailure(unreadable, 'out')).toBe(unreadable);
});

it('leaves alone what was no refusal to write', () => {
  for (const error of [
    systemError('EACCES', 'open'), // reading
    systemError('ENOENT', 'rename'),
    new Error('other'),
    new CompressionError('SOLVER_FAILED', 'no'),
    'text',
  ]) {
    expect(asWriteFailure(error, 'out')).toBe(error);
  }
});
