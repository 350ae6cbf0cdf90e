import { fillPowerTable, multiplyAdd, POWER_TABLE_BYTES, powerOf } from './power';

/** Values whose sums stay in one float32; a group's are sums of these. */
const STRIP: i32 = 64;
/** Below it an error has the power of this one. */
const LEAST_ERROR: f32 = 1e-6;
/** Logarithms to base 2 of beta, 10 at first, and of its growth, 1.01 a step. */
const LOG_BETA: f32 = 3.321928094887362;
const LOG_GROWTH: f32 = 0.01435529297707;
/** How many times as far as to its closed form a scale goes. */
const STRETCH: f32 = 2;

/** Four floats each, and the groups in the lanes, at the start of the working memory; the values follow. */
const SCALES: usize = 0;
const ZEROS: usize = 16;
const BEST_SCALES: usize = 32;
const BEST_ZEROS: usize = 48;
const LEAST_COSTS: usize = 64;
const UNITS: usize = 80;
const COUNTS: usize = 96;
const LOG_BETAS: usize = 112;
const STEPS: usize = 128;
const GROUPS: usize = 144;
/** Constants, from memory for the reason that `fillPowerTable` gives. */
const LEAST_ERRORS: usize = 160;
const SIGNS: usize = 176;
const POWERS: usize = 192;
const VALUES: usize = POWERS + POWER_TABLE_BYTES;

/**
 * The steps of HQQ on every group of a float32 matrix, from the grids at `scales` and `zeros`, float32 both, which afterwards hold the
 * best ones that were measured: see halfQuadraticGrids in @quern/solvers. Four groups go side by side, one in each lane; a lane whose
 * group is done takes the next one. A group's result depends on its values alone.
 * `middle` is the zero point of all groups, or negative where each has its own. Working memory: 432 bytes and four groups.
 * Returns the passes over a group, of all groups.
 */
export function halfQuadraticGrids(
  values: usize,
  rows: i32,
  columns: i32,
  groupSize: i32,
  scales: usize,
  zeros: usize,
  highestCode: f32,
  middle: f32,
  isFloat16: i32,
  norm: f32,
  iterations: i32,
  work: usize,
): i32 {
  const groupsPerRow = (columns + groupSize - 1) / groupSize;
  const groupCount = rows * groupsPerRow;
  const length = min(groupSize, columns);
  for (let lane: usize = 0; lane < 16; lane += 4) store<i32>(work + lane, -1, GROUPS);
  v128.store(work, f32x4.splat(LEAST_ERROR), LEAST_ERRORS);
  v128.store(work, i32x4.splat(0x80000000), SIGNS);
  fillPowerTable(work + POWERS);
  let next = 0;
  let free = 15;
  let left = 0;
  let passes = 0;
  for (;;) {
    for (let lane = 0; lane < 4; lane++) {
      if ((free & (1 << lane)) === 0) continue;
      const at = work + ((<usize>lane) << 2);
      const done = load<i32>(at, GROUPS);
      if (done >= 0) {
        passes += load<i32>(at, STEPS);
        store<f32>(scales + ((<usize>done) << 2), load<f32>(at, BEST_SCALES));
        store<f32>(zeros + ((<usize>done) << 2), load<f32>(at, BEST_ZEROS));
        left--;
      }
      if (next === groupCount) {
        store<i32>(at, -1, GROUPS);
        continue;
      }
      const row = next / groupsPerRow;
      const from = (next % groupsPerRow) * groupSize;
      const count = min(groupSize, columns - from);
      const start = values + ((<usize>(row * columns + from)) << 2);
      const target = at + VALUES;
      // Zeros past the end of a short group lie on its grid, and count in no sum.
      for (let index = 0; index < count; index++) {
        store<f32>(target + ((<usize>index) << 4), load<f32>(start + ((<usize>index) << 2)));
      }
      for (let index = count; index < length; index++) store<f32>(target + ((<usize>index) << 4), 0);
      const scale = load<f32>(scales + ((<usize>next) << 2));
      const zero = load<f32>(zeros + ((<usize>next) << 2));
      store<f32>(at, scale, SCALES);
      store<f32>(at, zero, ZEROS);
      store<f32>(at, scale, BEST_SCALES);
      store<f32>(at, zero, BEST_ZEROS);
      store<f32>(at, f32.MAX_VALUE, LEAST_COSTS);
      store<f32>(at, abs(scale), UNITS);
      store<f32>(at, <f32>count, COUNTS);
      store<f32>(at, LOG_BETA, LOG_BETAS);
      store<i32>(at, 0, STEPS);
      store<i32>(at, next, GROUPS);
      next++;
      left++;
    }
    if (left === 0) break;
    free = step(work, length, highestCode, middle, isFloat16, norm, iterations);
  }
  return passes;
}

/** Measures the grids in the four lanes and moves them on. Returns the lanes that are done, a bit each. */
function step(
  work: usize,
  length: i32,
  highestCode: f32,
  middle: f32,
  isFloat16: i32,
  norm: f32,
  iterations: i32,
): i32 {
  const scale = v128.load(work, SCALES);
  const zero = v128.load(work, ZEROS);
  const logBeta = v128.load(work, LOG_BETAS);
  const count = v128.load(work, COUNTS);
  const top = f32x4.splat(highestCode);
  // Zero points are whole: what counts from them is as near to a code as what counts from 0.
  const lowest = f32x4.neg(zero);
  const highest = f32x4.sub(top, zero);
  const inverse = f32x4.div(f32x4.splat(1), scale);
  const power = f32x4.splat(norm - 1);
  const offset = f32x4.neg(logBeta);
  let costs = f32x4.splat(0);
  let codes = f32x4.splat(0);
  let squares = f32x4.splat(0);
  let rests = f32x4.splat(0);
  let products = f32x4.splat(0);
  let at = work + VALUES;
  const end = at + ((<usize>length) << 4);
  while (at < end) {
    const stripEnd = min(at + (STRIP << 4), end);
    let ownCosts = f32x4.splat(0);
    let ownCodes = f32x4.splat(0);
    let ownSquares = f32x4.splat(0);
    let ownRests = f32x4.splat(0);
    let ownProducts = f32x4.splat(0);
    for (; at < stripEnd; at += 16) {
      const position = f32x4.mul(v128.load(at), inverse);
      const distance = f32x4.pmax(lowest, f32x4.pmin(highest, f32x4.nearest(position)));
      const error = f32x4.sub(position, distance);
      const size = f32x4.abs(error);
      // |error|^(norm - 1) / beta
      const threshold = powerOf(f32x4.pmax(v128.load(work, LEAST_ERRORS), size), power, offset, work + POWERS);
      const sign = v128.and(error, v128.load(work, SIGNS));
      const rest = v128.or(f32x4.pmin(size, threshold), sign);
      ownCosts = multiplyAdd(size, threshold, ownCosts);
      ownCodes = f32x4.add(ownCodes, distance);
      ownSquares = multiplyAdd(distance, distance, ownSquares);
      ownRests = f32x4.add(ownRests, rest);
      ownProducts = multiplyAdd(rest, distance, ownProducts);
    }
    costs = f32x4.add(costs, ownCosts);
    codes = f32x4.add(codes, ownCodes);
    squares = f32x4.add(squares, ownSquares);
    rests = f32x4.add(rests, ownRests);
    products = f32x4.add(products, ownProducts);
  }

  // Costs count in units of the first scale, so that no power leaves float32.
  const ratio = f32x4.div(f32x4.abs(scale), v128.load(work, UNITS));
  const cost = f32x4.mul(costs, powerOf(ratio, f32x4.splat(norm), logBeta, work + POWERS));
  const least = v128.load(work, LEAST_COSTS);
  const isBetter = f32x4.lt(cost, least);
  v128.store(work, v128.bitselect(cost, least, isBetter), LEAST_COSTS);
  v128.store(work, v128.bitselect(scale, v128.load(work, BEST_SCALES), isBetter), BEST_SCALES);
  v128.store(work, v128.bitselect(zero, v128.load(work, BEST_ZEROS), isBetter), BEST_ZEROS);
  const steps = v128.load(work, STEPS);

  let nextZero = f32x4.splat(middle);
  if (middle < 0) {
    const mean = f32x4.sub(zero, f32x4.div(rests, count));
    nextZero = f32x4.pmax(f32x4.splat(0), f32x4.pmin(top, f32x4.floor(f32x4.add(mean, f32x4.splat(0.5)))));
  }
  const moved = f32x4.sub(nextZero, zero);
  const above = f32x4.sub(f32x4.add(squares, products), f32x4.mul(moved, f32x4.add(codes, rests)));
  const twice = f32x4.sub(f32x4.add(codes, codes), f32x4.mul(moved, count));
  const below = f32x4.sub(squares, f32x4.mul(moved, twice));
  const fitted = f32x4.div(f32x4.mul(scale, above), below);
  let nextScale = multiplyAdd(f32x4.sub(fitted, scale), f32x4.splat(STRETCH), scale);
  let smallest: f32 = f32.MIN_NORMAL_VALUE;
  let largest = f32.MAX_VALUE;
  if (isFloat16) {
    // Veltkamp's splitting leaves 11 significant bits.
    const shifted = f32x4.mul(nextScale, f32x4.splat(8193));
    nextScale = f32x4.sub(shifted, f32x4.sub(shifted, nextScale));
    smallest = 2 ** -14;
    largest = 65504;
  }
  const size = f32x4.abs(nextScale);
  const fits = v128.and(f32x4.ge(size, f32x4.splat(smallest)), f32x4.le(size, f32x4.splat(largest)));
  const keepsSign = i32x4.ge_s(v128.xor(nextScale, scale), i32x4.splat(0));
  const isSame = v128.and(f32x4.eq(nextScale, scale), f32x4.eq(nextZero, zero));
  const isOver = i32x4.ge_s(steps, i32x4.splat(iterations));
  v128.store(work, nextScale, SCALES);
  v128.store(work, nextZero, ZEROS);
  v128.store(work, i32x4.add(steps, i32x4.splat(1)), STEPS);
  v128.store(work, f32x4.add(logBeta, f32x4.splat(LOG_GROWTH)), LOG_BETAS);
  return i32x4.bitmask(v128.or(v128.or(isOver, isSame), v128.not(v128.and(fits, keepsSign))));
}
