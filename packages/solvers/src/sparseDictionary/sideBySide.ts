import type { Matrix } from '@quern/linalg';

/** Matrices of as many rows whose values lie in one array, one matrix after the other, so that one threshold can go over all. */
export interface SideBySide<Data extends Float32Array | Float64Array> {
  readonly data: Data;
  /** Views of `data`. */
  readonly parts: readonly Matrix<Data>[];
}

/** The matrices of `rows` rows and so many columns each whose values `data` holds. */
export function sideBySide<Data extends Float32Array | Float64Array>(
  data: Data,
  rows: number,
  widths: readonly number[],
): SideBySide<Data> {
  let start = 0;
  const parts = widths.map(columns => {
    const own = data.subarray(start, start + rows * columns) as Data;
    start += rows * columns;
    return { rows, columns, data: own };
  });
  return { data, parts };
}
