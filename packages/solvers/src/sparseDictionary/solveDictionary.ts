import type { LowRankWeight } from '@quern/core';
import { type DictionaryFormat, FLOAT_FORMAT } from './dictionaryFormat.ts';
import type { DictionarySize } from './dictionarySize.ts';
import type { LearntCode } from './learntCode.ts';
import { padSupport } from './padSupport.ts';
import { storeCode } from './storeCode.ts';
import type { WhitenedWeight } from './whitenWeight.ts';

/** A code that was learnt, and its size. */
export interface SizedCode<Code = LearntCode> {
  readonly code: Code;
  readonly size: DictionarySize;
}

/** What the dictionary methods have in common: `learn` finds a code for a whitened weight, which is stored in `format`. */
export async function solveDictionary(
  problem: WhitenedWeight,
  learn: (problem: WhitenedWeight) => Promise<SizedCode>,
  format: DictionaryFormat = FLOAT_FORMAT,
): Promise<LowRankWeight> {
  const { code, size } = await learn(problem);
  const coefficients = padSupport(code.coefficients, size.nonzeroCount);
  return storeCode(problem, { ...code, coefficients }, format);
}
