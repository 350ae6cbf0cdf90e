// The eigenvalues of D + rho z z^T, D diagonal and ascending: roots of 1 / rho + sum of z_i^2 / (d_i - lambda) = 0, one
// between each d_k and the next and one beyond the last. A root is kept as its distance from the nearest pole (`nearest`,
// `offsets`): differences d_i - lambda then keep all their digits, on which the orthogonality of the vectors rests.

const EPSILON: f64 = 2.220446049250313e-16;
const MAXIMUM_STEPS: i32 = 500;

/** Sums over poles [from, to) at `offset` from the origin: value and derivative of the terms. */
let value: f64 = 0;
let slope: f64 = 0;

function sumTerms(d: usize, squares: usize, from: i32, to: i32, origin: f64, offset: f64): void {
  const origins = f64x2.splat(origin);
  const offsets = f64x2.splat(offset);
  const one = f64x2.splat(1);
  let values = f64x2.splat(0);
  let slopes = f64x2.splat(0);
  let at = (<usize>from) << 3;
  const end = (<usize>to) << 3;
  for (; at + 16 <= end; at += 16) {
    const inverse = f64x2.div(one, f64x2.sub(f64x2.sub(v128.load(d + at), origins), offsets));
    const term = f64x2.mul(v128.load(squares + at), inverse);
    values = f64x2.add(values, term);
    slopes = f64x2.add(slopes, f64x2.mul(term, inverse));
  }
  value = f64x2.extract_lane(values, 0) + f64x2.extract_lane(values, 1);
  slope = f64x2.extract_lane(slopes, 0) + f64x2.extract_lane(slopes, 1);
  if (at < end) {
    const inverse = 1 / (load<f64>(d + at) - origin - offset);
    const term = load<f64>(squares + at) * inverse;
    value += term;
    slope += term * inverse;
  }
}

/**
 * All `count` roots. `squares` are the z_i^2. Returns -1, or the root that did not converge.
 * Source: Bunch, Nielsen, Sorensen 1978 (interpolation of both sums by one pole each), Li 1993 (start, origin), in a bracket that
 * is halved when a step leaves it.
 */
export function secularRoots(d: usize, squares: usize, count: i32, rho: f64, nearest: usize, offsets: usize): i32 {
  let total: f64 = 0;
  for (let i = 0; i < count; i++) total += load<f64>(squares + ((<usize>i) << 3));
  for (let k = 0; k < count; k++) {
    const at = (<usize>k) << 3;
    const isLast = k === count - 1;
    const width = isLast ? rho * total : load<f64>(d + at + 8) - load<f64>(d + at);
    if (!findRoot(d, squares, count, rho, k, isLast, width, nearest + ((<usize>k) << 2), offsets + at)) return k;
  }
  return -1;
}

function findRoot(
  d: usize,
  squares: usize,
  count: i32,
  rho: f64,
  k: i32,
  isLast: bool,
  width: f64,
  nearestAt: usize,
  offsetAt: usize,
): bool {
  // The two poles whose terms carry the interpolation: around the root, or the last two before it.
  const leftPole = isLast ? k - 1 : k;
  const rightPole = leftPole + 1;
  const leftAt = (<usize>leftPole) << 3;
  let pole = k;
  let origin = load<f64>(d + ((<usize>k) << 3));
  let offset = 0.5 * width;
  let lower: f64 = 0;
  let upper = width;
  for (let step = 0; step < MAXIMUM_STEPS; step++) {
    sumTerms(d, squares, 0, rightPole, origin, offset);
    const leftValue = value;
    const leftSlope = slope;
    sumTerms(d, squares, rightPole, count, origin, offset);
    const f = 1 / rho + leftValue + value;
    if (step === 0 && !isLast && f < 0) {
      // The root lies in the right half: count from there.
      pole = k + 1;
      origin = load<f64>(d + ((<usize>pole) << 3));
      offset -= width;
      lower = -width;
      upper = 0;
    }
    if (f < 0) lower = offset;
    else upper = offset;
    const size = abs(offset);
    const done = abs(f) <= 4 * EPSILON * (1 / rho + abs(leftValue) + abs(value)) || upper - lower <= 2 * EPSILON * size;
    if (done) {
      store<i32>(nearestAt, pole);
      store<f64>(offsetAt, offset);
      return true;
    }
    if (leftPole < 0) {
      // A single pole: the root is known.
      offset = width;
      continue;
    }
    const a = load<f64>(d + leftAt) - origin - offset;
    const b = load<f64>(d + leftAt + 8) - origin - offset;
    // At first the two terms themselves, the others constant; then both sums by value and derivative.
    const s = step === 0 ? load<f64>(squares + leftAt) : a * a * leftSlope;
    const t = step === 0 ? load<f64>(squares + leftAt + 8) : b * b * slope;
    const move = solveTwoPoles(a, b, s, t, f, isLast);
    const previous = offset;
    offset += move;
    const halve = !(offset > lower && offset < upper) || (step > 20 && (step & 1) === 1);
    if (halve) offset = 0.5 * (lower + upper);
    else if (abs(offset - previous) <= EPSILON * size) {
      store<i32>(nearestAt, pole);
      store<f64>(offsetAt, offset);
      return true;
    }
  }
  return false;
}

/** eta with c + s / (a - eta) + t / (b - eta) = 0, where c makes the left side f at eta = 0: between a and b, or beyond both. */
function solveTwoPoles(a: f64, b: f64, s: f64, t: f64, f: f64, beyond: bool): f64 {
  const c = f - s / a - t / b;
  const p = c * (a + b) + s + t;
  const q = a * b * f;
  const root = sqrt(abs(p * p - 4 * q * c));
  if (beyond) return p >= 0 ? (p + root) / (2 * c) : (2 * q) / (p - root);
  return p <= 0 ? (p - root) / (2 * c) : (2 * q) / (p + root);
}

/**
 * The z for which the computed roots are exact, with the signs of the given one: z_i^2 = product of (lambda_k - d_i) over
 * product of (d_k - d_i), k other than i; up to a common factor. Source: Gu and Eisenstat 1995, equation 3.3.
 */
export function secularWeights(d: usize, z: usize, count: i32, nearest: usize, offsets: usize, weights: usize): void {
  for (let i = 0; i < count; i++) {
    const at = (<usize>i) << 3;
    store<f64>(weights + at, 1);
  }
  for (let k = 0; k < count; k++) {
    const pole = load<f64>(d + ((<usize>k) << 3));
    const origin = load<f64>(d + ((<usize>load<i32>(nearest + ((<usize>k) << 2))) << 3));
    const offset = load<f64>(offsets + ((<usize>k) << 3));
    multiplyRatios(d, weights, 0, k, pole, origin, offset);
    multiplyRatios(d, weights, k + 1, count, pole, origin, offset);
    const at = (<usize>k) << 3;
    store<f64>(weights + at, load<f64>(weights + at) * (origin - pole + offset));
  }
  for (let i = 0; i < count; i++) {
    const at = (<usize>i) << 3;
    store<f64>(weights + at, copysign<f64>(sqrt(abs(load<f64>(weights + at))), load<f64>(z + at)));
  }
}

/** weights_i *= (d_i - lambda) / (d_i - pole) for i in [from, to). */
function multiplyRatios(d: usize, weights: usize, from: i32, to: i32, pole: f64, origin: f64, offset: f64): void {
  const poles = f64x2.splat(pole);
  const origins = f64x2.splat(origin);
  const offsets = f64x2.splat(offset);
  let at = (<usize>from) << 3;
  const end = (<usize>to) << 3;
  for (; at + 16 <= end; at += 16) {
    const here = v128.load(d + at);
    const ratio = f64x2.div(f64x2.sub(f64x2.sub(here, origins), offsets), f64x2.sub(here, poles));
    v128.store(weights + at, f64x2.mul(v128.load(weights + at), ratio));
  }
  if (at < end) {
    const here = load<f64>(d + at);
    store<f64>(weights + at, load<f64>(weights + at) * ((here - origin - offset) / (here - pole)));
  }
}

/**
 * Unit eigenvectors of roots [from, to): row k - from of `left` gets the components of the first `leftCount` poles, row k - from
 * of `right` those of the poles from `rightStart` on; the two may overlap. Poles and weights are given in the order wanted.
 */
export function secularVectors(
  d: usize,
  weights: usize,
  count: i32,
  origins: usize,
  offsets: usize,
  from: i32,
  to: i32,
  row: usize,
  left: usize,
  leftCount: i32,
  right: usize,
  rightStart: i32,
): void {
  const leftBytes = (<usize>leftCount) << 3;
  const rightBytes = (<usize>(count - rightStart)) << 3;
  for (let k = from; k < to; k++) {
    const origin = load<f64>(origins + ((<usize>k) << 3));
    const offset = load<f64>(offsets + ((<usize>k) << 3));
    let sum: f64 = 0;
    for (let i = 0; i < count; i++) {
      const at = (<usize>i) << 3;
      const component = load<f64>(weights + at) / (load<f64>(d + at) - origin - offset);
      store<f64>(row + at, component);
      sum += component * component;
    }
    const inverse = 1 / sqrt(sum);
    for (let i = 0; i < count; i++) {
      const at = (<usize>i) << 3;
      store<f64>(row + at, load<f64>(row + at) * inverse);
    }
    memory.copy(left, row, leftBytes);
    memory.copy(right, row + ((<usize>rightStart) << 3), rightBytes);
    left += leftBytes;
    right += rightBytes;
  }
}
