import { makeReflector } from './makeReflector';
import { addOne, dot } from './vectors';

/**
 * Householder QR of a panel: `count` columns, each a row of `length` values in memory, become the reflectors v (zero before their own
 * place, one there). Writes tau, and R as the upper triangle of a count x count matrix; count is at most length.
 */
export function reflectPanel(panel: usize, count: i32, length: i32, taus: usize, triangle: usize): void {
  const stride = (<usize>length) << 3;
  const triangleStride = (<usize>count) << 3;
  for (let row = 0; row < count; row++) {
    const at = (<usize>row) << 3;
    const v = panel + <usize>row * stride;
    for (let above: usize = 0; above < <usize>row; above++) {
      store<f64>(triangle + above * triangleStride + at, load<f64>(v + (above << 3)));
    }
    memory.fill(v, 0, at);
    const tau = makeReflector(v + at, length - row, triangle + <usize>row * triangleStride + at);
    store<f64>(taus + at, tau);
    if (tau === 0) continue;
    for (let later = row + 1; later < count; later++) {
      const x = panel + <usize>later * stride + at;
      addOne(x, -tau * dot(v + at, x, length - row), v + at, length - row);
    }
  }
}
