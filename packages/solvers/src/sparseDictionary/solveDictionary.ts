import type { InputStatistics, LowRankWeight } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import { checkStatistics } from '../checkStatistics.ts';
import { checkWeight } from '../checkWeight.ts';
import { choleskyWhitening } from '../lowRank/choleskyWhitening.ts';
import type { Whitening } from '../lowRank/inputMetric.ts';
import { toFloat64 } from '../lowRank/toFloat64.ts';
import type { DictionarySize } from './dictionarySize.ts';
import type { LearntCode } from './learnOrthonormal.ts';
import { padSupport } from './padSupport.ts';
import { storeCode } from './storeCode.ts';

/** A code that was learnt, and its size. */
export interface SizedCode {
  readonly code: LearntCode;
  readonly size: DictionarySize;
}

/**
 * What the dictionary methods have in common: the weight is whitened by the Cholesky factor of its Gram, `learn` finds a code for it,
 * which is stored in float16.
 */
export async function solveDictionary(
  weight: Matrix<Float32Array>,
  statistics: InputStatistics | null,
  learn: (whitened: Matrix<Float64Array>, whitening: Whitening) => Promise<SizedCode>,
): Promise<LowRankWeight> {
  checkWeight(weight);
  const { inputGram: gram } = checkStatistics(statistics, weight.columns);
  const whitening = await choleskyWhitening(gram);
  const plain = toFloat64(weight);
  const { code, size } = await learn(await whitening.apply(plain), whitening);
  const coefficients = padSupport(code.coefficients, size.nonzeroCount);
  return storeCode({ weight: plain, gram, whitening }, { atoms: code.atoms, coefficients });
}
