import { CompressionError } from '@quern/core';
import { describe, expect, it } from 'vitest';
import { runtimeFailure } from './runtimeFailure.ts';

describe('runtimeFailure', () => {
  it.each([
    ['std::bad_alloc', 'not enough memory'],
    ['OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library', 'quern doctor'],
    ['WebGPU validation failed. [Invalid Buffer (unlabeled)] is invalid due to a previous error', '--device cpu'],
    ['Unsupported model IR version: 99, max supported IR version: 13', 'older opset'],
    ['indices element out of data bounds, idx=513 must be within the inclusive range [-512,511]', 'vocabulary'],
    ['something never seen', 'quern inspect'],
  ])('adds the next step to "%s"', (words, advice) => {
    const failure = runtimeFailure(new Error(`${words}.\n`), 'Cannot run m');
    expect(failure).toMatchObject({ code: 'RUNTIME_FAILED', message: expect.stringContaining(advice) });
    expect(failure.message.startsWith(`Cannot run m: ${words}. `)).toBe(true);
  });

  it('leaves errors with a code alone', () => {
    const known = new CompressionError('INTERRUPTED', 'stopped');
    expect(runtimeFailure(known, 'Cannot run m')).toBe(known);
  });
});
