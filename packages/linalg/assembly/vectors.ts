// Vectors of float64 in memory: a pointer and a count. Sums run in four lanes, always in the same order.

function sumOfLanes(first: v128, second: v128): f64 {
  const both = f64x2.add(first, second);
  return f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
}

/** x . y */
export function dot(x: usize, y: usize, count: i32): f64 {
  const end = x + ((<usize>count) << 3);
  let first = f64x2.splat(0);
  let second = f64x2.splat(0);
  for (; x + 32 <= end; x += 32, y += 32) {
    first = f64x2.add(first, f64x2.mul(v128.load(x), v128.load(y)));
    second = f64x2.add(second, f64x2.mul(v128.load(x, 16), v128.load(y, 16)));
  }
  let sum = sumOfLanes(first, second);
  for (; x < end; x += 8, y += 8) sum += load<f64>(x) * load<f64>(y);
  return sum;
}

/** target += a x + b y */
export function addTwo(target: usize, a: f64, x: usize, b: f64, y: usize, count: i32): void {
  const end = target + ((<usize>count) << 3);
  const as = f64x2.splat(a);
  const bs = f64x2.splat(b);
  for (; target + 16 <= end; target += 16, x += 16, y += 16) {
    const sum = f64x2.add(f64x2.mul(as, v128.load(x)), f64x2.mul(bs, v128.load(y)));
    v128.store(target, f64x2.add(v128.load(target), sum));
  }
  if (target < end) store<f64>(target, load<f64>(target) + (a * load<f64>(x) + b * load<f64>(y)));
}

/** target += a x */
export function addOne(target: usize, a: f64, x: usize, count: i32): void {
  const end = target + ((<usize>count) << 3);
  const as = f64x2.splat(a);
  for (; target + 16 <= end; target += 16, x += 16) {
    v128.store(target, f64x2.add(v128.load(target), f64x2.mul(as, v128.load(x))));
  }
  if (target < end) store<f64>(target, load<f64>(target) + a * load<f64>(x));
}

/** x *= a */
export function scale(x: usize, a: f64, count: i32): void {
  const end = x + ((<usize>count) << 3);
  const as = f64x2.splat(a);
  for (; x + 16 <= end; x += 16) v128.store(x, f64x2.mul(as, v128.load(x)));
  if (x < end) store<f64>(x, a * load<f64>(x));
}
