import { expect, it } from 'vitest';
import { parseOptions } from './parseOptions.ts';
import { gptqOptions } from './quantization/gptqOptions.ts';

/** What the error says of each problem. */
function problemsOf(options: unknown): readonly string[] {
  try {
    parseOptions(gptqOptions, options, 'gptq');
  } catch (error) {
    const { code, context } = error as { code: string; context: { problems: string[] } };
    expect(code).toBe('INVALID_OPTION');
    return context.problems;
  }
  return [];
}

it('fills in the defaults', () => {
  expect(parseOptions(gptqOptions, { bits: 3 }, 'gptq')).toMatchObject({ bits: 3, groupSize: 32, actOrder: false });
});

it.each([
  [{ bits: 9 }, 'bits (9): must be 2..8'],
  [{ bits: '4' }, 'bits ("4"): must be a whole number, 2..8'],
  [{ dampingFraction: 20 }, 'dampingFraction (20): must be above 0 and at most 10'],
  [{ dampingFraction: 'little' }, 'dampingFraction ("little"): must be a number above 0 and at most 10'],
  [{ actOrder: 'yes' }, 'actOrder ("yes"): must be true or false'],
  [{ groupSize: 0 }, 'groupSize (0): must be channel or a whole number, at least 1'],
])('names key, value and limit of %j', (options, problem) => {
  expect(problemsOf(options)).toEqual([problem]);
});

it('names every problem, and the keys that there are', () => {
  expect(problemsOf({ bits: 1, damping: 0.1 })).toEqual([
    'bits (1): must be 2..8',
    'damping: no such key; known are bits, groupSize, symmetric, scaleType, shrinkSearch, actOrder, dampingFraction, blockSize',
  ]);
});
