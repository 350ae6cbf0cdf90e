import { describe, expect, it } from 'vitest';
import { type BudgetKeys, readBudget } from './readBudget.ts';

describe('readBudget', () => {
  it.each<[BudgetKeys, ReturnType<typeof readBudget>]>([
    [{}, null],
    [{ bitsPerWeight: 3.5 }, { kind: 'bits', bitsPerWeight: 3.5 }],
    [{ bitsPerWeight: '7/2' }, { kind: 'bits', bitsPerWeight: 3.5 }],
    [{ targetSize: '4MB - 300kB' }, { kind: 'size', bytes: 3_700_000 }],
    [{ targetSize: 2 ** 20 }, { kind: 'size', bytes: 2 ** 20 }],
    [{ maxPerplexityIncrease: '2%' }, { kind: 'increase', share: 0.02 }],
    [{ maxPerplexityIncrease: '150%' }, { kind: 'increase', share: 1.5 }],
    [{ maxPerplexityIncrease: 0.005 }, { kind: 'increase', share: 0.005 }],
    [{ maxPerplexityIncrease: '1/50' }, { kind: 'increase', share: 0.02 }],
  ])('%j', (keys, budget) => {
    expect(readBudget(keys)).toEqual(budget);
  });

  it.each<[BudgetKeys, string]>([
    [{ bitsPerWeight: '3MB' }, 'bitsPerWeight (3MB): must be a number above 0 and at most 16'],
    [{ bitsPerWeight: '2%%' }, 'bitsPerWeight (2%%)'],
    [{ bitsPerWeight: 17 }, 'bitsPerWeight (17)'],
    [{ bitsPerWeight: '-1' }, 'bitsPerWeight (-1)'],
    [{ targetSize: '3.2kg' }, 'targetSize (3.2kg): must be a size'],
    [{ targetSize: 'import("fs")' }, 'targetSize (import("fs"))'],
    [{ targetSize: '1/0' }, 'targetSize (1/0)'],
    [{ maxPerplexityIncrease: '2MB' }, 'maxPerplexityIncrease (2MB): must be a percentage above 0'],
    [{ maxPerplexityIncrease: 2 }, 'maxPerplexityIncrease (2)'],
    [{ maxPerplexityIncrease: '-2%' }, 'maxPerplexityIncrease (-2%)'],
    [{ maxPerplexityIncrease: '0.5% + 1%' }, 'maxPerplexityIncrease (0.5% + 1%)'],
    [{ targetSize: '3MB', bitsPerWeight: 3 }, 'bitsPerWeight (3) and targetSize (3MB) are several budgets'],
  ])('%j is refused', (keys, message) => {
    expect(() => readBudget(keys)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(message) }),
    );
  });
});
