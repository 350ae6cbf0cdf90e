import { makeReflector } from './makeReflector';
import { addOne, addTwo, dot, scale } from './vectors';

/**
 * Householder reduction of columns [from, to) of a symmetric n x n matrix to tridiagonal form, as LAPACK's latrd.
 *
 * The upper triangle of the matrix lies in strips of `stripRows` rows, a multiple of 4: strip s holds columns [s stripRows, n) of its rows. It is
 * only read. Writes diagonal and off-diagonal, tau, and rows [0, to - from) of two arrays with n values a row: in row i
 * the reflector v of column from + i (zero before, from column from + 1 on), and the w for which the rest of the matrix is to
 * become A - sum of (v w^T + w v^T).
 */
export function tridiagonalizePanel(
  matrix: usize,
  n: i32,
  stripRows: i32,
  from: i32,
  to: i32,
  reflectors: usize,
  updates: usize,
  diagonal: usize,
  offDiagonal: usize,
  taus: usize,
): void {
  const stride = (<usize>n) << 3;
  for (let column = from; column < to; column++) {
    const at = (<usize>column) << 3;
    const panelRow = <usize>(column - from);
    const v = reflectors + panelRow * stride;
    const w = updates + panelRow * stride;
    memory.copy(v + at, rowOrigin(matrix, n, stripRows, column) + at, stride - at);
    for (let k: usize = 0; k < panelRow; k++) {
      const vk = reflectors + k * stride + at;
      const wk = updates + k * stride + at;
      addTwo(v + at, -load<f64>(vk), wk, -load<f64>(wk), vk, n - column);
    }
    store<f64>(diagonal + at, load<f64>(v + at));
    const count = n - column - 1;
    if (count === 0) return;
    const next = at + 8;
    const tau = makeReflector(v + next, count, offDiagonal + at);
    store<f64>(taus + at, tau);
    memory.fill(v + ((<usize>from + 1) << 3), 0, panelRow << 3);
    if (tau === 0) {
      memory.fill(w + next, 0, (<usize>count) << 3);
      continue;
    }
    symmetricProduct(matrix, n, stripRows, column + 1, v, w);
    for (let k: usize = 0; k < panelRow; k++) {
      const vk = reflectors + k * stride + next;
      const wk = updates + k * stride + next;
      addTwo(w + next, -dot(wk, v + next, count), vk, -dot(vk, v + next, count), wk, count);
    }
    scale(w + next, tau, count);
    addOne(w + next, -0.5 * tau * dot(w + next, v + next, count), v + next, count);
  }
}

/** Where column 0 of a row would be; columns before the row's strip are not there. */
function rowOrigin(matrix: usize, n: i32, stripRows: i32, row: i32): usize {
  const strip = row / stripRows;
  const start = strip * stripRows;
  const before = <usize>start * <usize>n - ((<usize>stripRows * <usize>start * <usize>max(strip - 1, 0)) >> 1);
  return matrix + ((before + <usize>(row - start) * <usize>(n - start) - <usize>start) << 3);
}

/** y = A x over rows and columns [start, n); every value above the diagonal is read once and used twice. */
function symmetricProduct(matrix: usize, n: i32, stripRows: i32, start: i32, x: usize, y: usize): void {
  const end = (<usize>n) << 3;
  memory.fill(y + ((<usize>start) << 3), 0, end - ((<usize>start) << 3));
  for (let group = start & ~3; group < n; group += 4) {
    const from = max(start, group);
    const to = min(n, group + 4);
    const origin = rowOrigin(matrix, n, stripRows, from);
    const stride = (<usize>(n - (from / stripRows) * stripRows)) << 3;
    if (to - from === 4) {
      fourRows(origin, stride, (<usize>from) << 3, end, x, y);
    } else {
      for (let row = from; row < to; row++) oneRow(origin + <usize>(row - from) * stride, (<usize>row) << 3, end, x, y);
    }
  }
}

function oneRow(origin: usize, at: usize, end: usize, x: usize, y: usize): void {
  const factor = load<f64>(x + at);
  let sum = load<f64>(y + at) + load<f64>(origin + at) * factor;
  for (let column = at + 8; column < end; column += 8) {
    const value = load<f64>(origin + column);
    sum += value * load<f64>(x + column);
    store<f64>(y + column, load<f64>(y + column) + value * factor);
  }
  store<f64>(y + at, sum);
}

function fourRows(origin: usize, stride: usize, at: usize, end: usize, x: usize, y: usize): void {
  const row1 = origin + stride;
  const row2 = row1 + stride;
  const row3 = row2 + stride;
  // The triangle on the diagonal.
  oneRow(origin, at, at + 32, x, y);
  oneRow(row1, at + 8, at + 32, x, y);
  oneRow(row2, at + 16, at + 32, x, y);
  oneRow(row3, at + 24, at + 32, x, y);
  const x0 = v128.load64_splat(x + at);
  const x1 = v128.load64_splat(x + at, 8);
  const x2 = v128.load64_splat(x + at, 16);
  const x3 = v128.load64_splat(x + at, 24);
  let sum0 = f64x2.splat(0);
  let sum1 = f64x2.splat(0);
  let sum2 = f64x2.splat(0);
  let sum3 = f64x2.splat(0);
  let column = at + 32;
  for (; column + 16 <= end; column += 16) {
    const xs = v128.load(x + column);
    const a0 = v128.load(origin + column);
    const a1 = v128.load(row1 + column);
    const a2 = v128.load(row2 + column);
    const a3 = v128.load(row3 + column);
    sum0 = f64x2.add(sum0, f64x2.mul(a0, xs));
    sum1 = f64x2.add(sum1, f64x2.mul(a1, xs));
    sum2 = f64x2.add(sum2, f64x2.mul(a2, xs));
    sum3 = f64x2.add(sum3, f64x2.mul(a3, xs));
    const low = f64x2.add(f64x2.mul(a0, x0), f64x2.mul(a1, x1));
    const high = f64x2.add(f64x2.mul(a2, x2), f64x2.mul(a3, x3));
    v128.store(y + column, f64x2.add(v128.load(y + column), f64x2.add(low, high)));
  }
  let last0: f64 = 0;
  let last1: f64 = 0;
  let last2: f64 = 0;
  let last3: f64 = 0;
  if (column < end) {
    const value = load<f64>(x + column);
    last0 = load<f64>(origin + column) * value;
    last1 = load<f64>(row1 + column) * value;
    last2 = load<f64>(row2 + column) * value;
    last3 = load<f64>(row3 + column) * value;
    const low = load<f64>(origin + column) * load<f64>(x + at) + load<f64>(row1 + column) * load<f64>(x + at + 8);
    const high = load<f64>(row2 + column) * load<f64>(x + at + 16) + load<f64>(row3 + column) * load<f64>(x + at + 24);
    store<f64>(y + column, load<f64>(y + column) + (low + high));
  }
  addTo(y + at, sum0, last0);
  addTo(y + at + 8, sum1, last1);
  addTo(y + at + 16, sum2, last2);
  addTo(y + at + 24, sum3, last3);
}

function addTo(target: usize, lanes: v128, rest: f64): void {
  store<f64>(target, load<f64>(target) + (f64x2.extract_lane(lanes, 0) + f64x2.extract_lane(lanes, 1) + rest));
}
