import type { Matrix } from '@quern/linalg';

/** The `count` matrices of equally many rows that stand one above the other; copies. */
export function splitRows({ rows, columns, data }: Matrix<Float64Array>, count: number): Matrix<Float64Array>[] {
  const own = rows / count;
  return Array.from({ length: count }, (_, index) => ({
    rows: own,
    columns,
    data: data.slice(index * own * columns, (index + 1) * own * columns),
  }));
}
