import type { SparseWeight } from '@quern/core';
import type { Matrix } from '@quern/linalg';

/** Values as they are stored, where `support` is not 0. */
export function toSparse(values: Float32Array, support: Matrix<Float64Array>): SparseWeight {
  const { rows, columns, data } = support;
  return {
    kind: 'sparse',
    ...{ outFeatures: rows, inFeatures: columns },
    mask: Uint8Array.from(data, value => Number(value !== 0)),
    values: values.filter((_, index) => data[index] !== 0),
  };
}
