import { gemm, type Matrix } from '@quern/linalg';

/**
 * Rotates every head's part of a weight by R: `columns` W diag(R, R, ..), `rows` diag(R, R, ..)^T W. The number of columns, or of
 * rows, is a multiple of the head size. Cost: headSize multiply-adds a weight.
 */
export async function rotateHeads(
  weight: Matrix<Float32Array>,
  rotation: Matrix<Float32Array>,
  side: 'rows' | 'columns',
): Promise<Matrix<Float32Array>> {
  const { rows, columns, data } = weight;
  const size = rotation.rows;
  if (side === 'columns') {
    // Row-major heads lie one after the other.
    const parts = { rows: data.length / size, columns: size, data };
    return { rows, columns, data: (await gemm(parts, rotation)).data };
  }
  const output = new Float32Array(data.length);
  for (let start = 0; start < rows; start += size) {
    const [from, to] = [start * columns, (start + size) * columns];
    const part = { rows: size, columns, data: data.subarray(from, to) };
    await gemm(rotation, part, { transposeA: true, output: { ...part, data: output.subarray(from, to) } });
  }
  return { rows, columns, data: output };
}

/** The same for the last `count` rows of a weight alone: of queries, keys and values in one, the values. */
export async function rotateLastRows(
  weight: Matrix<Float32Array>,
  rotation: Matrix<Float32Array>,
  count: number,
): Promise<Matrix<Float32Array>> {
  const { columns, data } = weight;
  const start = data.length - count * columns;
  const last = await rotateHeads({ rows: count, columns, data: data.subarray(start) }, rotation, 'rows');
  const output = data.slice();
  output.set(last.data, start);
  return { ...weight, data: output };
}
