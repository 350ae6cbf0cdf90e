import { gemm } from '../gemm.ts';
import type { Matrix } from '../matrix.ts';
import { transpose } from '../transpose.ts';
import { FIRST_BYTE, openKernels } from '../wasm/openKernels.ts';
import { applyReflectors } from './applyReflectors.ts';
import { pairPanels } from './pairPanels.ts';
import { type ReflectorBlock, type ReflectorPanel, reflectorBlock } from './reflectorBlock.ts';

/** Columns that are reflected one by one before the rest of the matrix gets all their reflections in products. */
const PANEL_COLUMNS = 64;
/** Columns of Q that are made together. */
const GROUP_COLUMNS = 256;
/** Rows of the transposed matrix that are reflected together. */
const STRIP_ROWS = 256;

/**
 * Thin QR of a float64 matrix `[m, n]`, m >= n, with values up to 1e150: Q `[m, n]`, R `[n, n]` with a diagonal that is not negative.
 *
 * Blocked Householder in compact WY form. Source: Golub and Van Loan, section 5.2; LAPACK's geqrf and orgqr.
 * Cost: 2 m n^2 - 2 n^3 / 3 multiply-adds; scratch two copies of the matrix.
 */
export async function householderQr(
  matrix: Matrix<Float64Array>,
): Promise<{ q: Matrix<Float64Array>; r: Matrix<Float64Array> }> {
  const { rows: m, columns: n } = matrix;
  const r = { rows: n, columns: n, data: new Float64Array(n * n) };
  const q = { rows: m, columns: n, data: new Float64Array(m * n) };
  const blocks = await pairPanels(await reflectColumns(matrix, r.data));
  for (let first = 0; first < n; first += GROUP_COLUMNS) {
    const end = Math.min(n, first + GROUP_COLUMNS);
    const width = end - first;
    const group = { rows: m, columns: width, data: new Float64Array(m * width) };
    for (let column = 0; column < width; column++) group.data[(first + column) * width + column] = 1;
    // Later reflections leave these columns of the identity alone.
    const acting = blocks.filter(({ start }) => start < end);
    await applyReflectors(acting, group);
    for (let row = 0; row < m; row++) q.data.set(group.data.subarray(row * width, (row + 1) * width), row * n + first);
  }
  makeDiagonalPositive(q, r);
  return { q, r };
}

/** Writes R, with a diagonal of either sign, and returns the reflections whose product is Q. */
async function reflectColumns(matrix: Matrix<Float64Array>, r: Float64Array): Promise<ReflectorPanel[]> {
  const { rows: m, columns: n } = matrix;
  // Columns of the matrix as rows, without the coordinates that are done.
  let rest = transpose(matrix);
  const panelAt = FIRST_BYTE;
  const tausAt = panelAt + PANEL_COLUMNS * m * 8;
  const triangleAt = tausAt + PANEL_COLUMNS * 8;
  const { memory, reflectPanel } = openKernels(triangleAt + PANEL_COLUMNS ** 2 * 8 - FIRST_BYTE);
  const view = (at: number, length: number) => new Float64Array(memory.buffer, at, length);
  const panels: ReflectorPanel[] = [];
  for (let start = 0; start < n; start += PANEL_COLUMNS) {
    const count = Math.min(PANEL_COLUMNS, n - start);
    const length = m - start;
    const columns = view(panelAt, count * length);
    columns.set(rest.data.subarray(0, count * length));
    reflectPanel(panelAt, count, length, tausAt, triangleAt);
    const triangle = view(triangleAt, count * count);
    for (let row = 0; row < count; row++) {
      for (let column = row; column < count; column++) {
        r[(start + row) * n + start + column] = triangle[row * count + column]!;
      }
    }
    const vectors = { rows: count, columns: length, data: columns.slice() };
    const panel = { start, vectors, taus: view(tausAt, count).slice() };
    panels.push(panel);
    const later = { rows: rest.rows - count, columns: length, data: rest.data.subarray(count * length) };
    if (later.rows > 0) await reflectRows(later, await reflectorBlock(panel));
    rest = takeCoordinates(later, count, r.subarray(start * n + start + count), n);
  }
  return panels;
}

/** Every row x^T becomes x^T H_0 H_1 ..., a strip of rows at a time, which stays in the cache. */
async function reflectRows(target: Matrix<Float64Array>, { vectors, factor }: ReflectorBlock): Promise<void> {
  const { columns } = target;
  for (let first = 0; first < target.rows; first += STRIP_ROWS) {
    const rows = Math.min(STRIP_ROWS, target.rows - first);
    const strip = { rows, columns, data: target.data.subarray(first * columns, (first + rows) * columns) };
    const weights = await gemm(await gemm(strip, vectors, { transposeB: true }), factor);
    await gemm(weights, vectors, { alpha: -1, beta: 1, output: strip });
  }
}

/** Moves the first `count` values of every row to a column of R, in place; returns what is left. */
function takeCoordinates(
  { rows, columns, data }: Matrix<Float64Array>,
  count: number,
  r: Float64Array,
  stride: number,
): Matrix<Float64Array> {
  const left = columns - count;
  for (let row = 0; row < rows; row++) {
    for (let coordinate = 0; coordinate < count; coordinate++) {
      r[coordinate * stride + row] = data[row * columns + coordinate]!;
    }
    data.copyWithin(row * left, row * columns + count, (row + 1) * columns);
  }
  return { rows, columns: left, data: data.subarray(0, rows * left) };
}

function makeDiagonalPositive(q: Matrix<Float64Array>, r: Matrix<Float64Array>): void {
  const n = r.rows;
  const signs = Float64Array.from({ length: n }, (_, index) => (r.data[index * (n + 1)]! < 0 ? -1 : 1));
  for (let row = 0; row < n; row++) {
    if (signs[row] === 1) continue;
    for (let column = row; column < n; column++) r.data[row * n + column] = -r.data[row * n + column]!;
  }
  for (let row = 0; row < q.rows; row++) {
    for (let column = 0; column < n; column++) q.data[row * n + column]! *= signs[column]!;
  }
}
