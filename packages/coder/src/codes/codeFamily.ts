/**
 * The family of distributions that code tables are taken from: Gaussian scale mixtures around the middle code, cut into
 * unit bins.
 *
 * Member `(shape, scale)`: a Gaussian whose logarithmic standard deviation spreads by `SPREADS[shape]` nats, taken at the five
 * nodes of Gauss-Hermite quadrature; its overall standard deviation is 2^(scale / 6) / 8 codes. The outermost codes take the
 * tails.
 *
 * Both sides of a stream must get the same numbers on every engine, so everything here is made of + - * / alone, which IEEE 754
 * rounds in one way; `Math.exp` it does not.
 */

/** Spread of log(standard deviation) for each shape: 0 is a Gaussian, the last is heavier than a Laplacian. */
const SPREADS = [0, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1] as const;

export const SHAPE_COUNT = SPREADS.length;
export const SCALE_COUNT = 64;
/** Steps in which the standard deviation doubles. */
export const SCALES_PER_OCTAVE = 6;

/** Nodes and weights of five-point Gauss-Hermite quadrature for a standard normal variable. */
const NODES = [-2.8569700138728056, -1.355626179974266, 0, 1.355626179974266, 2.8569700138728056] as const;
const WEIGHTS = [
  0.011257411327720689, 0.2220759220056126, 0.5333333333333333, 0.2220759220056126, 0.011257411327720689,
] as const;
/** 2^(k / 6). */
const SIXTHS = [1, 1.122462048309373, 1.2599210498948732, Math.SQRT2, 1.5874010519681994, 1.7817974362806788];

/** Standard deviation of a member in codes. */
export function scaleOf(scale: number): number {
  return (SIXTHS[scale % SCALES_PER_OCTAVE]! * (1 << Math.floor(scale / SCALES_PER_OCTAVE))) / 8;
}

/** The scale whose standard deviation is nearest to that of `count` codes with this sum of squares about the middle. */
export function scaleOfSquares(squares: number, count: number): number {
  if (squares === 0) return 0;
  const steps = Math.round(SCALES_PER_OCTAVE * Math.log2(Math.sqrt(squares / count) / scaleOf(0)));
  return Math.max(0, Math.min(SCALE_COUNT - 1, steps));
}

/**
 * Probabilities of the codes 0 .. 2^bits - 1 under a member; they sum to 1.
 *
 * Cost: 5 exponentials for each of 1 to 16 points in half of the bins.
 */
export function memberProbabilities(shape: number, scale: number, bits: number): Float64Array {
  const spread = SPREADS[shape]!;
  const deviation = scaleOf(scale);
  const middle = 1 << (bits - 1);
  // Bins narrow against the distribution need one point; a bin that holds all of it needs many.
  const points = deviation > 8 ? 1 : deviation > 2 ? 4 : 16;
  const half = new Float64Array(middle + 1);
  let total = 0;
  let beyond = 0;
  for (let distance = 0; distance < 8 * middle; distance++) {
    let sum = 0;
    for (let point = 0; point < points; point++) {
      sum += density((distance - 0.5 + (point + 0.5) / points) / deviation, spread);
    }
    sum /= points;
    if (distance <= middle) half[distance] = sum;
    else beyond += sum;
    total += distance === 0 ? sum : 2 * sum;
    if (distance > middle && sum < 1e-12 * total) break;
  }
  const probabilities = new Float64Array(2 * middle);
  for (let code = 0; code < 2 * middle; code++) probabilities[code] = half[Math.abs(code - middle)]! / total;
  probabilities[0]! += beyond / total;
  probabilities[2 * middle - 1]! += (half[middle]! + beyond) / total;
  return probabilities;
}

/** Density at x of the mixture with variance 1, up to a constant factor. */
function density(x: number, spread: number): number {
  if (spread === 0) return exponential(-0.5 * x * x);
  let sum = 0;
  for (let node = 0; node < NODES.length; node++) {
    const inverse = exponential(spread * spread - spread * NODES[node]!);
    const scaled = x * inverse;
    sum += WEIGHTS[node]! * inverse * exponential(-0.5 * scaled * scaled);
  }
  return sum;
}

/** e^x by a Taylor series for a small part of x and repeated squaring. */
function exponential(x: number): number {
  if (x < -700) return 0;
  let part = x;
  let squarings = 0;
  while (part > 0.0625 || part < -0.0625) {
    part *= 0.5;
    squarings++;
  }
  let term = 1;
  let sum = 1;
  for (let order = 1; order <= 9; order++) {
    term *= part / order;
    sum += term;
  }
  for (; squarings > 0; squarings--) sum *= sum;
  return sum;
}
