import type { SparseWeight } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import { nonzerosOf } from './nonzerosOf.ts';

/** Values as they are stored, where `support` is not 0. */
export function toSparse(values: Float32Array, support: Matrix<Float64Array>): SparseWeight {
  const { rows, columns, data } = support;
  return {
    kind: 'sparse',
    ...{ outFeatures: rows, inFeatures: columns },
    mask: nonzerosOf(data),
    values: values.filter((_, index) => data[index] !== 0),
  };
}
