import type { Matrix } from '@quern/linalg';
import { PLACEHOLDER } from './keepPlaces.ts';

/**
 * Coefficients with exactly `count` nonzeros: zeros that found their way onto the support, as in weights of zeros, are stored
 * as such, at the first free places. The size of a weight is then what was announced.
 */
export function padSupport({ rows, columns, data }: Matrix<Float64Array>, count: number): Matrix<Float64Array> {
  const padded = data.slice();
  let missing = count;
  for (const value of padded) if (value !== 0) missing--;
  for (let index = 0; index < padded.length && missing > 0; index++) {
    if (padded[index] !== 0) continue;
    padded[index] = PLACEHOLDER;
    missing--;
  }
  return { rows, columns, data: padded };
}
