import { CompressionError } from '@quern/core';
import { evaluateExpression } from './evaluateExpression.ts';
import { readSize } from './readSize.ts';

/** What a whole model may take, or may lose. */
export type Budget =
  /** Stored bits per weight of the solved weights, at most. */
  | { readonly kind: 'bits'; readonly bitsPerWeight: number }
  /** Bytes of all graph and data files, at most. */
  | { readonly kind: 'size'; readonly bytes: number }
  /** Rise of the perplexity, at most: a share of that of the original. */
  | { readonly kind: 'increase'; readonly share: number };

/** The keys of a recipe that name a budget. */
export interface BudgetKeys {
  readonly bitsPerWeight?: number | string | undefined;
  readonly targetSize?: number | string | undefined;
  readonly maxPerplexityIncrease?: number | string | undefined;
}

/** No weight stores more bits than its float16. */
const MOST_BITS = 16;

/**
 * The budget that a recipe names, null for none.
 *
 * Errors: INVALID_OPTION for more than one, and for what cannot be read as one.
 */
export function readBudget({ bitsPerWeight, targetSize, maxPerplexityIncrease }: BudgetKeys): Budget | null {
  const given = Object.entries({ bitsPerWeight, targetSize, maxPerplexityIncrease }).filter(
    ([, value]) => value !== undefined,
  );
  if (given.length > 1) {
    const names = given.map(([name, value]) => `${name} (${value})`).join(' and ');
    throw new CompressionError('INVALID_OPTION', `${names} are several budgets: keep one of them.`);
  }
  if (targetSize !== undefined) return { kind: 'size', bytes: readSize(targetSize) };
  if (bitsPerWeight !== undefined) return { kind: 'bits', bitsPerWeight: readBits(bitsPerWeight) };
  if (maxPerplexityIncrease !== undefined) return { kind: 'increase', share: readIncrease(maxPerplexityIncrease) };
  return null;
}

function readBits(text: number | string): number {
  const bits = evaluateExpression(text, null);
  if (bits > 0 && bits <= MOST_BITS) return bits;
  throw new CompressionError(
    'INVALID_OPTION',
    `bitsPerWeight (${text}): must be a number above 0 and at most ${MOST_BITS}, without a unit, such as 3.5 or 7/2.`,
    { bitsPerWeight: text, limit: MOST_BITS },
  );
}

function readIncrease(text: number | string): number {
  const share = evaluateExpression(text, null);
  const isShare = share > 0 && Number.isFinite(share) && (share < 1 || String(text).includes('%'));
  if (isShare) return share;
  throw new CompressionError(
    'INVALID_OPTION',
    `maxPerplexityIncrease (${text}): must be a percentage above 0, such as 2%, or a share below 1, such as 0.02.`,
    { maxPerplexityIncrease: text },
  );
}
