import type { InputStatistics, LowRankWeight } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import { type DictionaryFormat, FLOAT_FORMAT } from './dictionaryFormat.ts';
import type { DictionarySize } from './dictionarySize.ts';
import type { LearntCode } from './learntCode.ts';
import { padSupport } from './padSupport.ts';
import { storeCode } from './storeCode.ts';
import { type WhitenedWeight, whitenWeight } from './whitenWeight.ts';

/** A code that was learnt, and its size. */
export interface SizedCode {
  readonly code: LearntCode;
  readonly size: DictionarySize;
}

/**
 * What the dictionary methods have in common: the weight is whitened by the Cholesky factor of its Gram, `learn` finds a code for it,
 * which is stored in `format`.
 */
export async function solveDictionary(
  weight: Matrix<Float32Array>,
  statistics: InputStatistics | null,
  learn: (problem: WhitenedWeight) => Promise<SizedCode>,
  format: DictionaryFormat = FLOAT_FORMAT,
): Promise<LowRankWeight> {
  const problem = await whitenWeight(weight, statistics);
  const { code, size } = await learn(problem);
  const coefficients = padSupport(code.coefficients, size.nonzeroCount);
  return storeCode(problem, { ...code, coefficients }, format);
}
