import { carry } from './carry';

/** A pivot below this share of its diagonal is rounding: the atom depends on those chosen before. */
const DEPENDENT: f64 = 1e-10;

/** A remainder that no atom sees by more than this share of what the best saw of the signal is rounding. */
const LEAST_SEEN: f64 = 1e-8;

/** Values treated together, in bytes. */
const STRIP: usize = 64;

/**
 * Orthogonal matching pursuit of one signal: `steps` times the atom that its remainder sees most.
 *
 * `alpha`, the products of the signal with each atom, becomes those of its remainder. `gram` `[count, stride]` holds the products
 * of the atoms; `images` `[steps, stride]` receives row t of L^-1 times it, L being the Cholesky factor of the chosen atoms'
 * products; `taken` has a byte for each atom; `weights` holds `steps` values. `chosen` (i32) and `gains` (the coordinate of the
 * signal along each new direction) receive a value a step. `stride` is a multiple of 8, at least `count`. The number of steps
 * made, fewer where no atom sees the remainder but by rounding.
 */
export function pursueRow(
  alpha: usize,
  gram: usize,
  count: i32,
  stride: i32,
  steps: i32,
  images: usize,
  taken: usize,
  weights: usize,
  chosen: usize,
  gains: usize,
): i32 {
  const rowBytes = (<usize>stride) << 3;
  memory.fill(taken, 0, count);
  const first = mostSeen(alpha, count, taken);
  if (first < 0) return 0;
  const least = LEAST_SEEN * Math.abs(load<f64>(alpha + ((<usize>first) << 3)));
  let step = 0;
  while (step < steps) {
    const atom = mostSeen(alpha, count, taken);
    if (atom < 0 || !(Math.abs(load<f64>(alpha + ((<usize>atom) << 3))) > least)) break;
    store<u8>(taken + atom, 1);
    const products = gram + <usize>atom * rowBytes;
    const diagonal = load<f64>(products + ((<usize>atom) << 3));
    let pivot = diagonal;
    for (let before = 0; before < step; before++) {
      const weight = load<f64>(images + <usize>before * rowBytes + ((<usize>atom) << 3));
      store<f64>(weights + ((<usize>before) << 3), weight);
      pivot -= weight * weight;
    }
    if (!(pivot > DEPENDENT * diagonal)) continue;
    const image = images + <usize>step * rowBytes;
    const inverse = 1 / Math.sqrt(pivot);
    const gain = load<f64>(alpha + ((<usize>atom) << 3)) * inverse;
    const scale = f64x2.splat(inverse);
    const length = f64x2.splat(gain);
    memory.copy(image, products, rowBytes);
    for (let strip: usize = 0; strip < rowBytes; strip += STRIP) {
      carry(image + strip, images + strip, rowBytes, weights, 8, step);
      for (let pair: usize = strip; pair < strip + STRIP; pair += 16) {
        const value = f64x2.mul(v128.load(image + pair), scale);
        v128.store(image + pair, value);
        v128.store(alpha + pair, f64x2.sub(v128.load(alpha + pair), f64x2.mul(length, value)));
      }
    }
    store<i32>(chosen + ((<usize>step) << 2), atom);
    store<f64>(gains + ((<usize>step) << 3), gain);
    step++;
  }
  return step;
}

/** The free atom of largest |alpha|, the first of equal ones; -1 where all are 0. */
function mostSeen(alpha: usize, count: i32, taken: usize): i32 {
  let best = -1;
  let most: f64 = 0;
  for (let atom = 0; atom < count; atom++) {
    const size = Math.abs(load<f64>(alpha + ((<usize>atom) << 3)));
    if (size > most && load<u8>(taken + atom) === 0) {
      most = size;
      best = atom;
    }
  }
  return best;
}

/** Least squares on the first `steps` chosen atoms, L^T c = gains by back substitution, after pursueRow. */
export function fitChosen(
  images: usize,
  stride: i32,
  chosen: usize,
  gains: usize,
  steps: i32,
  coefficients: usize,
): void {
  const rowBytes = (<usize>stride) << 3;
  for (let step = steps - 1; step >= 0; step--) {
    const image = images + <usize>step * rowBytes;
    let value = load<f64>(gains + ((<usize>step) << 3));
    for (let later = step + 1; later < steps; later++) {
      const atom = <usize>load<i32>(chosen + ((<usize>later) << 2));
      value -= load<f64>(image + (atom << 3)) * load<f64>(coefficients + ((<usize>later) << 3));
    }
    const own = <usize>load<i32>(chosen + ((<usize>step) << 2));
    store<f64>(coefficients + ((<usize>step) << 3), value / load<f64>(image + (own << 3)));
  }
}
