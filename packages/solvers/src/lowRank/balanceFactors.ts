import type { Matrix } from '@quern/linalg';

/** W ~ left right, before it is stored. */
export interface FactorPair {
  /** `[outFeatures, rank]`. */
  readonly left: Matrix<Float64Array>;
  /** `[rank, inFeatures]`. */
  readonly right: Matrix<Float64Array>;
}

/**
 * The same product, each component's column of `left` as long as its row of `right`: neither side overflows float16 before the
 * product does, and neither loses digits to subnormal numbers.
 */
export function balanceFactors({ left, right }: FactorPair): FactorPair {
  const leftLengths = columnLengths(left);
  const rightLengths = rowLengths(right);
  const factors = leftLengths.map((length, index) => {
    const ratio = rightLengths[index]! / length;
    return ratio > 0 && Number.isFinite(ratio) ? Math.sqrt(ratio) : 1;
  });
  const { columns: rank } = left;
  return {
    left: { ...left, data: left.data.map((value, index) => value * factors[index % rank]!) },
    right: { ...right, data: right.data.map((value, index) => value / factors[Math.floor(index / right.columns)]!) },
  };
}

function columnLengths({ columns, data }: Matrix<Float64Array>): Float64Array {
  const energies = new Float64Array(columns);
  for (let index = 0; index < data.length; index++) energies[index % columns]! += data[index]! ** 2;
  return energies.map(Math.sqrt);
}

function rowLengths({ rows, columns, data }: Matrix<Float64Array>): Float64Array {
  const energies = new Float64Array(rows);
  for (let index = 0; index < data.length; index++) energies[Math.floor(index / columns)]! += data[index]! ** 2;
  return energies.map(Math.sqrt);
}
