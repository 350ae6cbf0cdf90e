import { uniformNumbers } from '@quern/core';
import type { Matrix } from '@quern/linalg';

/**
 * `atomCount` rows of norm 1: rows of `target` drawn without repetition, each scaled; rows of zeros are passed over, and random
 * directions fill what is missing. The same seed draws the same rows.
 */
export function sampleAtoms(target: Matrix<Float64Array>, atomCount: number, seed: number): Matrix<Float64Array> {
  const { rows, columns } = target;
  const next = uniformNumbers(seed);
  const order = Array.from({ length: rows }, (_, row) => row);
  for (let place = rows - 1; place > 0; place--) {
    const other = Math.floor(next() * (place + 1));
    [order[place], order[other]] = [order[other]!, order[place]!];
  }
  const data = new Float64Array(atomCount * columns);
  let atom = 0;
  for (const row of order) {
    if (atom === atomCount) break;
    if (setUnit(data, atom * columns, target.data.subarray(row * columns, (row + 1) * columns))) atom++;
  }
  while (atom < atomCount) {
    if (
      setUnit(
        data,
        atom * columns,
        Float64Array.from({ length: columns }, () => next() - 0.5),
      )
    )
      atom++;
  }
  return { rows: atomCount, columns, data };
}

function setUnit(data: Float64Array, start: number, values: Float64Array): boolean {
  const norm = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  if (norm === 0) return false;
  for (let index = 0; index < values.length; index++) data[start + index] = values[index]! / norm;
  return true;
}
