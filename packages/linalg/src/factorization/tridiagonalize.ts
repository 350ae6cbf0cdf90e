import { gemm } from '../gemm.ts';
import type { Matrix } from '../matrix.ts';
import { FIRST_BYTE, openKernels } from '../wasm/openKernels.ts';
import type { ReflectorPanel } from './reflectorBlock.ts';

/** A = Q T Q^T with T tridiagonal and Q the product of the panels' reflections. */
export interface Tridiagonal {
  readonly diagonal: Float64Array;
  /** offDiagonal[i] stands beside diagonal[i] and diagonal[i + 1]; the last value is 0. */
  readonly offDiagonal: Float64Array;
  readonly panels: readonly ReflectorPanel[];
}

/** Columns that are reduced before the rest of the matrix gets their updates in one product. */
const PANEL_COLUMNS = 64;
/** Rows of the upper triangle that are stored, and updated, as one rectangle; a multiple of the panel. */
const STRIP_ROWS = 256;

/**
 * Householder reduction of a symmetric matrix, of which the upper triangle is read, to tridiagonal form. Values up to 1e150.
 *
 * Source: LAPACK's sytrd and latrd (Dongarra, Sorensen, Hammarling 1989). Half of the work is one product of the matrix and
 * a vector per column, which reads each value of the triangle once; the other half are products of panels with the strips.
 * Cost: 2 n^3 / 3 multiply-adds; scratch n^2 / 2 + 128 n doubles, and n^2 / 2 for the reflectors returned.
 */
export async function tridiagonalize(matrix: Matrix<Float64Array>): Promise<Tridiagonal> {
  const n = matrix.rows;
  const strips = layStrips(n);
  const panelBytes = PANEL_COLUMNS * n * 8;
  const updatesAt = FIRST_BYTE;
  const reflectorsAt = updatesAt + panelBytes;
  const diagonalAt = reflectorsAt + panelBytes;
  const offDiagonalAt = diagonalAt + n * 8;
  const tausAt = offDiagonalAt + n * 8;
  const matrixAt = tausAt + n * 8;
  const stored = strips.reduce((sum, { rows, columns }) => sum + rows * columns, 0);
  const { memory, tridiagonalizePanel } = openKernels(matrixAt - FIRST_BYTE + stored * 8);
  const view = (at: number, length: number) => new Float64Array(memory.buffer, at, length);
  const pieces = strips.map(strip => ({
    ...strip,
    data: view(matrixAt + strip.offset * 8, strip.rows * strip.columns),
  }));
  for (const { start, rows, columns, data } of pieces) {
    for (let row = 0; row < rows; row++) {
      const from = (start + row) * n + start;
      data.set(matrix.data.subarray(from, from + columns), row * columns);
    }
  }
  const taus = view(tausAt, n);
  const panels: ReflectorPanel[] = [];
  for (let from = 0; from < n; from += PANEL_COLUMNS) {
    const to = Math.min(n, from + PANEL_COLUMNS);
    tridiagonalizePanel(matrixAt, n, STRIP_ROWS, from, to, reflectorsAt, updatesAt, diagonalAt, offDiagonalAt, tausAt);
    const count = Math.min(to, n - 1) - from;
    if (count > 0) {
      const vectors = copyVectors(view(reflectorsAt, count * n), count, from + 1, n);
      panels.push({ start: from + 1, vectors, taus: taus.slice(from, from + count) });
    }
    if (to === n) break;
    // Rows of the two arrays together: [W; V], transposed [W V] and [V W].
    const updates = packColumns(view(updatesAt, 2 * PANEL_COLUMNS * n), n, to - (to % STRIP_ROWS));
    const swapped = swapHalves(updates);
    for (const strip of pieces) {
      if (strip.start + strip.rows > to) await updateStrip(strip, to, swapped, updates);
    }
  }
  return { diagonal: view(diagonalAt, n).slice(), offDiagonal: view(offDiagonalAt, n).slice(), panels };
}

/** A strip of the upper triangle: rows from `start` on, of columns [start, n). */
interface Strip extends Matrix<Float64Array> {
  readonly start: number;
}

function layStrips(n: number): { start: number; rows: number; columns: number; offset: number }[] {
  const strips = [];
  let offset = 0;
  for (let start = 0; start < n; start += STRIP_ROWS) {
    const rows = Math.min(STRIP_ROWS, n - start);
    strips.push({ start, rows, columns: n - start, offset });
    offset += rows * (n - start);
  }
  return strips;
}

/**
 * Rows from `to` on become A - V W^T - W V^T. What this writes below the diagonal, and to the left of column `to` from stale
 * rows, is never read.
 */
async function updateStrip(strip: Strip, to: number, left: Packed, right: Packed): Promise<void> {
  const firstRow = Math.max(to, strip.start);
  const rows = strip.start + strip.rows - firstRow;
  const width = left.columns;
  const slice = ({ first, data }: Packed, row: number, count: number) => ({
    rows: count,
    columns: width,
    data: data.subarray((row - first) * width, (row - first + count) * width),
  });
  const output = { rows, columns: strip.columns, data: strip.data.subarray((firstRow - strip.start) * strip.columns) };
  const factors = [slice(left, firstRow, rows), slice(right, strip.start, strip.columns)] as const;
  await gemm(...factors, { transposeB: true, alpha: -1, beta: 1, output });
}

/** Rows from `first` on of a matrix with few columns. */
interface Packed extends Matrix<Float64Array> {
  readonly first: number;
}

/** Columns [first, n) of `[2 PANEL_COLUMNS, n]`, transposed. */
function packColumns(source: Float64Array, n: number, first: number): Packed {
  const width = 2 * PANEL_COLUMNS;
  const data = new Float64Array((n - first) * width);
  for (let column = first; column < n; column += 8) {
    const end = Math.min(n, column + 8);
    for (let row = 0; row < width; row++) {
      for (let at = column; at < end; at++) data[(at - first) * width + row] = source[row * n + at]!;
    }
  }
  return { first, rows: n - first, columns: width, data };
}

function swapHalves(packed: Packed): Packed {
  const half = packed.columns / 2;
  const data = new Float64Array(packed.data.length);
  for (let at = 0; at < data.length; at += 2 * half) {
    data.set(packed.data.subarray(at + half, at + 2 * half), at);
    data.set(packed.data.subarray(at, at + half), at + half);
  }
  return { ...packed, data };
}

/** Columns [start, n) of `[count, n]`. */
function copyVectors(source: Float64Array, count: number, start: number, n: number): Matrix<Float64Array> {
  const length = n - start;
  const data = new Float64Array(count * length);
  for (let row = 0; row < count; row++) data.set(source.subarray(row * n + start, (row + 1) * n), row * length);
  return { rows: count, columns: length, data };
}
