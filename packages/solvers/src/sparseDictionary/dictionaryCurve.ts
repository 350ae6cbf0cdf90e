import type { InputStatistics } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import type { RatePoint } from '../entropyCoded/rateCurve.ts';
import { type DictionaryFormat, FLOAT_FORMAT } from './dictionaryFormat.ts';
import { type DictionaryShape, elementsOf, sum } from './dictionaryShape.ts';
import { fitsRatio, stackBits } from './dictionarySize.ts';
import { type WhitenedWeight, whitenWeight } from './whitenWeight.ts';

/** Fractions removed at which a curve is measured. */
const RATIOS = [0.95, 0.87, 0.75, 0.6, 0.45, 0.3, 0.15, 0.05];

/**
 * What a weight loses in a dictionary at falling rates: the share of ||W X||_F^2 that is left over, by rising bits, and at last
 * nothing at 16 bits. `leftAt` learns a code for a ratio and gives that share.
 */
export async function dictionaryCurve(
  weight: Matrix<Float32Array>,
  statistics: InputStatistics | null,
  leftAt: (problem: WhitenedWeight, ratio: number) => Promise<number>,
): Promise<RatePoint[]> {
  const problem = await whitenWeight(weight, statistics);
  const shape = { outFeatures: weight.rows, inFeatures: weight.columns };
  return curveOf(shape, FLOAT_FORMAT, ratio => leftAt(problem, ratio));
}

/** The same of weights that are one, for a `leftAt` that knows them. */
export async function curveOf(
  shape: DictionaryShape,
  format: DictionaryFormat,
  leftAt: (ratio: number) => Promise<number>,
): Promise<RatePoint[]> {
  const points: RatePoint[] = [];
  const elements = sum(elementsOf(shape));
  for (const ratio of RATIOS.filter(each => fitsRatio(shape, each, format))) {
    const loss = Math.max(1e-12, await leftAt(ratio));
    points.push({ bits: stackBits(shape, ratio) / elements, loss });
  }
  return [...points, { bits: 16, loss: 0 }];
}
