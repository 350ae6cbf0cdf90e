/** Values whose sums stay in float32; sums of these are float64. */
const STRIP: i32 = 64;

/** Below it an error is none: its power would only be rounding. */
const NO_ERROR: f32 = 1e-6;

/**
 * What one step of half-quadratic quantisation sums up over a group of float32 values, in units of the scale. With position =
 * value inverseScale + zeroPoint, code = clamp(floor(position + 1/2), 0, highestCode), e = position - code, d = code - zeroPoint and
 * t = position - zeroPoint - sign(e) max(0, |e| - |e|^(norm - 1) inverseBeta): |e|^norm, d, d^2, t, t d as five float64 at `sums`.
 * Powers are good to 1e-5.
 */
export function halfQuadraticSums(
  values: usize,
  count: i32,
  inverseScale: f32,
  zeroPoint: f32,
  highestCode: f32,
  norm: f32,
  inverseBeta: f32,
  sums: usize,
): void {
  const inverses = f32x4.splat(inverseScale);
  const zeros = f32x4.splat(zeroPoint);
  const tops = f32x4.splat(highestCode);
  const norms = f32x4.splat(norm);
  const betas = f32x4.splat(inverseBeta);
  let cost: f64 = 0;
  let steps: f64 = 0;
  let squares: f64 = 0;
  let targets: f64 = 0;
  let products: f64 = 0;
  for (let start = 0; start < count; start += STRIP) {
    const end = min(start + STRIP, count);
    let costLanes = f32x4.splat(0);
    let stepLanes = f32x4.splat(0);
    let squareLanes = f32x4.splat(0);
    let targetLanes = f32x4.splat(0);
    let productLanes = f32x4.splat(0);
    for (let index = start; index < end; index += 4) {
      const at = values + ((<usize>index) << 2);
      // What is past the end is 0 in every sum.
      let inside = i32x4.splat(-1);
      if (index + 4 > end) inside = i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(end - index));
      const scaled = f32x4.mul(v128.load(at), inverses);
      const position = f32x4.add(scaled, zeros);
      const code = f32x4.pmax(f32x4.splat(0), f32x4.pmin(tops, f32x4.floor(f32x4.add(position, f32x4.splat(0.5)))));
      const error = f32x4.sub(position, code);
      const size = f32x4.abs(error);
      const counts = f32x4.gt(size, f32x4.splat(NO_ERROR));
      const safe = f32x4.pmax(size, f32x4.splat(NO_ERROR));
      const power = v128.and(powerOf(safe, norms), counts);
      const threshold = f32x4.mul(f32x4.div(power, safe), betas);
      const shrunk = v128.and(f32x4.pmax(f32x4.splat(0), f32x4.sub(size, threshold)), counts);
      const sign = v128.and(error, i32x4.splat(0x80000000));
      const target = v128.and(f32x4.sub(scaled, v128.or(shrunk, sign)), inside);
      const step = v128.and(f32x4.sub(code, zeros), inside);
      costLanes = f32x4.add(costLanes, v128.and(power, inside));
      stepLanes = f32x4.add(stepLanes, step);
      squareLanes = f32x4.add(squareLanes, f32x4.mul(step, step));
      targetLanes = f32x4.add(targetLanes, target);
      productLanes = f32x4.add(productLanes, f32x4.mul(target, step));
    }
    cost += laneSum(costLanes);
    steps += laneSum(stepLanes);
    squares += laneSum(squareLanes);
    targets += laneSum(targetLanes);
    products += laneSum(productLanes);
  }
  store<f64>(sums, cost);
  store<f64>(sums, steps, 8);
  store<f64>(sums, squares, 16);
  store<f64>(sums, targets, 24);
  store<f64>(sums, products, 32);
}

/** x^p for normal x > 0: 2^(p log2 x), both by polynomials through Chebyshev's nodes. */
function powerOf(x: v128, p: v128): v128 {
  const exponent = f32x4.convert_i32x4_s(i32x4.sub(i32x4.shr_u(x, 23), i32x4.splat(127)));
  const mantissa = v128.or(v128.and(x, i32x4.splat(0x007fffff)), i32x4.splat(0x3f800000));
  const m = f32x4.sub(mantissa, f32x4.splat(1));
  let log = f32x4.splat(-0.0338220459);
  log = f32x4.add(f32x4.mul(log, m), f32x4.splat(0.1444710955));
  log = f32x4.add(f32x4.mul(log, m), f32x4.splat(-0.3016380095));
  log = f32x4.add(f32x4.mul(log, m), f32x4.splat(0.4686588791));
  log = f32x4.add(f32x4.mul(log, m), f32x4.splat(-0.7203587727));
  log = f32x4.add(f32x4.mul(log, m), f32x4.splat(1.4426814681));
  const scaled = f32x4.mul(p, f32x4.add(exponent, f32x4.mul(log, m)));
  const whole = f32x4.floor(scaled);
  const f = f32x4.sub(scaled, whole);
  let power = f32x4.splat(0.0018937541);
  power = f32x4.add(f32x4.mul(power, f), f32x4.splat(0.0089495904));
  power = f32x4.add(f32x4.mul(power, f), f32x4.splat(0.0558603371));
  power = f32x4.add(f32x4.mul(power, f), f32x4.splat(0.2401418182));
  power = f32x4.add(f32x4.mul(power, f), f32x4.splat(0.6931544897));
  power = f32x4.add(f32x4.mul(power, f), f32x4.splat(1));
  return i32x4.add(power, i32x4.shl(i32x4.trunc_sat_f32x4_s(whole), 23));
}

function laneSum(lanes: v128): f64 {
  const first = <f64>f32x4.extract_lane(lanes, 0) + <f64>f32x4.extract_lane(lanes, 1);
  return first + (<f64>f32x4.extract_lane(lanes, 2) + <f64>f32x4.extract_lane(lanes, 3));
}
