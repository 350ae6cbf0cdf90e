import { CompressionError } from '@quern/core';
import type { Emit } from '../events.ts';
import type { Recipe } from '../recipe.ts';
import type { Attempt } from './attempt.ts';
import type { CandidateTable } from './candidateTable.ts';
import { EXACT } from './checkBudget.ts';
import type { IntendedChoice } from './intendPlans.ts';

/** Shares of sites, and of all else, by which packed files may differ from what was measured of them alone. */
const [SITE_MISS, REST_MISS] = [0.001, 0.0005];

/** How the files of a run with a size are judged. */
export interface SizeLimit {
  /** All bits that sites may be expected to take. */
  readonly bits: number;
  /** Bits by which files exceed what was asked for, within its tolerance or below 0 where they do not. */
  readonly excess: (made: Attempt) => number;
  /** The least that the methods reach, and what was asked, in words. */
  readonly refuse: () => CompressionError;
}

export function sizeLimit(
  { budget, range, restBytes }: IntendedChoice,
  { storage }: Pick<Recipe, 'storage'>,
  table: Pick<CandidateTable, 'leastBits' | 'mostBits'>,
  emit: Emit,
): SizeLimit {
  const rate = (bits: number): string =>
    (Math.ceil((1000 * (bits - range.besideBits)) / range.elements - 1e-6) / 1000).toFixed(3);
  if (budget.kind === 'size') {
    const isPacked = storage === 'packed';
    const reserved = restBytes! * (1 + (isPacked ? REST_MISS : 0));
    const bits = 8 * (budget.bytes - reserved) * (isPacked ? 1 - SITE_MISS : 1);
    if (bits > table.mostBits + range.elements) {
      const most = Math.ceil(restBytes! + table.mostBits / 8);
      const message = `targetSize (${budget.bytes} bytes): has room for more than these methods store: the result will take about ${most} bytes.`;
      emit({ kind: 'warning', message });
    }
    const least = Math.ceil((reserved + table.leastBits / 8) * (isPacked ? 1 + SITE_MISS : 1));
    const message = `targetSize (${budget.bytes} bytes): out of reach: the least that these methods take is ${least} bytes (${rate(table.leastBits)} bits a weight); fewer --head-bits make more room.`;
    return {
      bits,
      excess: ({ result }) => 8 * (result.storage.compressedBytes - budget.bytes),
      refuse: () => new CompressionError('INVALID_OPTION', message, { ...budget, least }),
    };
  }
  if (budget.kind !== 'bits') throw new CompressionError('INTERNAL', 'Only sizes have a limit in bits.');
  const asked = budget.bitsPerWeight * range.elements;
  const message = `bitsPerWeight (${budget.bitsPerWeight}): out of reach: the least that these methods store is ${rate(table.leastBits)} bits a weight.`;
  return {
    bits: asked + range.besideBits,
    excess: ({ result }) => {
      const over = result.storage.bitsPerWeight! - budget.bitsPerWeight;
      return over <= EXACT ? 0 : over * range.elements;
    },
    refuse: () => new CompressionError('INVALID_OPTION', message, { ...budget }),
  };
}
