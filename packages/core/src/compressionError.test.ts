import { expect, it } from 'vitest';
import { CompressionError, exitCodeOf, fromErrorRecord, toErrorRecord } from './compressionError.ts';

it('keeps code, message and context across a structured clone', () => {
  const error = new CompressionError('INVALID_SHAPE', 'weight is 3 x 4, expected 4 x 4', { rows: 3 });
  const back = fromErrorRecord(structuredClone(toErrorRecord(error)));
  expect(back).toBeInstanceOf(CompressionError);
  expect([back.code, back.message, back.context]).toEqual(['INVALID_SHAPE', error.message, { rows: 3 }]);
  expect(toErrorRecord(new TypeError('x is not a function'))).toEqual({
    code: 'INTERNAL',
    message: 'x is not a function',
    context: {},
  });
});

it('gives bad input 2, failed work 1, an interruption 130', () => {
  expect(exitCodeOf('INVALID_OPTION')).toBe(2);
  expect(exitCodeOf('WRITE_FAILED')).toBe(1);
  expect(exitCodeOf('INTERRUPTED')).toBe(130);
});
