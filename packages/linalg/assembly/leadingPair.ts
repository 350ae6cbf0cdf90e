import { addOne, addTwo, dot, scale } from './vectors';

/**
 * An atom and its coefficients become the leading singular pair of what all other atoms leave, E = R + values atom^T over the rows that use
 * it, by power iterations on E^T E from the present atom; R follows. E is never formed, and a row of R is read once an iteration.
 *
 * `residual` has rows of `rowBytes`, a multiple of 64, zeros behind the values; `users` (i32) names `count` of them. `values` `[count]` and
 * `atom` receive the pair; `along` and `next` are as long as a row, `products` as `values`. 0, and nothing changed, where E is 0.
 */
export function leadingPair(
  residual: usize,
  rowBytes: usize,
  users: usize,
  count: i32,
  values: usize,
  atom: usize,
  iterations: i32,
  along: usize,
  next: usize,
  products: usize,
): i32 {
  const length = <i32>(rowBytes >> 3);
  memory.copy(along, atom, rowBytes);
  for (let iteration = 0; iteration < iterations; iteration++) {
    const overlap = dot(atom, along, length);
    memory.fill(next, 0, rowBytes);
    let pull: f64 = 0;
    let user = 0;
    for (; user + 4 <= count; user += 4) {
      pull += foldFour(
        residual,
        rowBytes,
        users + ((<usize>user) << 2),
        values + ((<usize>user) << 3),
        overlap,
        along,
        next,
      );
    }
    for (; user < count; user++) {
      const row = residual + <usize>load<i32>(users + ((<usize>user) << 2)) * rowBytes;
      const value = load<f64>(values + ((<usize>user) << 3));
      const product = value * overlap + dot(along, row, length);
      pull += value * product;
      addOne(next, product, row, length);
    }
    addOne(next, pull, atom, length);
    const norm = Math.sqrt(dot(next, next, length));
    if (norm === 0) return 0;
    scale(next, 1 / norm, length);
    const other = along;
    along = next;
    next = other;
  }
  const overlap = dot(atom, along, length);
  for (let user = 0; user < count; user++) {
    const row = residual + <usize>load<i32>(users + ((<usize>user) << 2)) * rowBytes;
    const at = (<usize>user) << 3;
    const value = load<f64>(values + at);
    const product = value * overlap + dot(along, row, length);
    addTwo(row, value, atom, -product, along, length);
    store<f64>(products + at, product);
  }
  memory.copy(values, products, (<usize>count) << 3);
  memory.copy(atom, along, rowBytes);
  return 1;
}

/** next += sum of (E along)_i R_i over four rows; the sum of values_i (E along)_i. */
function foldFour(
  residual: usize,
  rowBytes: usize,
  users: usize,
  values: usize,
  overlap: f64,
  along: usize,
  next: usize,
): f64 {
  const a = residual + <usize>load<i32>(users) * rowBytes;
  const b = residual + <usize>load<i32>(users, 4) * rowBytes;
  const c = residual + <usize>load<i32>(users, 8) * rowBytes;
  const d = residual + <usize>load<i32>(users, 12) * rowBytes;
  let sumA = f64x2.splat(0);
  let sumB = f64x2.splat(0);
  let sumC = f64x2.splat(0);
  let sumD = f64x2.splat(0);
  let lastA = f64x2.splat(0);
  let lastB = f64x2.splat(0);
  let lastC = f64x2.splat(0);
  let lastD = f64x2.splat(0);
  for (let at: usize = 0; at < rowBytes; at += 32) {
    const first = v128.load(along + at);
    const second = v128.load(along + at, 16);
    sumA = f64x2.add(sumA, f64x2.mul(first, v128.load(a + at)));
    sumB = f64x2.add(sumB, f64x2.mul(first, v128.load(b + at)));
    sumC = f64x2.add(sumC, f64x2.mul(first, v128.load(c + at)));
    sumD = f64x2.add(sumD, f64x2.mul(first, v128.load(d + at)));
    lastA = f64x2.add(lastA, f64x2.mul(second, v128.load(a + at, 16)));
    lastB = f64x2.add(lastB, f64x2.mul(second, v128.load(b + at, 16)));
    lastC = f64x2.add(lastC, f64x2.mul(second, v128.load(c + at, 16)));
    lastD = f64x2.add(lastD, f64x2.mul(second, v128.load(d + at, 16)));
  }
  const productA = load<f64>(values) * overlap + total(f64x2.add(sumA, lastA));
  const productB = load<f64>(values, 8) * overlap + total(f64x2.add(sumB, lastB));
  const productC = load<f64>(values, 16) * overlap + total(f64x2.add(sumC, lastC));
  const productD = load<f64>(values, 24) * overlap + total(f64x2.add(sumD, lastD));
  const weightA = f64x2.splat(productA);
  const weightB = f64x2.splat(productB);
  const weightC = f64x2.splat(productC);
  const weightD = f64x2.splat(productD);
  for (let at: usize = 0; at < rowBytes; at += 16) {
    const left = f64x2.add(f64x2.mul(weightA, v128.load(a + at)), f64x2.mul(weightB, v128.load(b + at)));
    const right = f64x2.add(f64x2.mul(weightC, v128.load(c + at)), f64x2.mul(weightD, v128.load(d + at)));
    v128.store(next + at, f64x2.add(v128.load(next + at), f64x2.add(left, right)));
  }
  return (
    load<f64>(values) * productA +
    load<f64>(values, 8) * productB +
    (load<f64>(values, 16) * productC + load<f64>(values, 24) * productD)
  );
}

function total(lanes: v128): f64 {
  return f64x2.extract_lane(lanes, 0) + f64x2.extract_lane(lanes, 1);
}
