import { dot, scale } from './vectors';

/** Squares below this are taken for 0: their sum would lose digits, and the reflector its orthogonality. */
const SMALLEST_SQUARE: f64 = 1e-280;

/**
 * The reflection I - tau v v^T that takes x to (beta, 0, 0, ...): v, whose first value is 1, in place of x.
 * Writes beta, then returns tau; 0 where x is that already. Values of x must not exceed 1e150.
 */
export function makeReflector(x: usize, count: i32, betaAt: usize): f64 {
  const alpha = load<f64>(x);
  const rest = dot(x + 8, x + 8, count - 1);
  store<f64>(x, 1);
  if (rest < SMALLEST_SQUARE) {
    store<f64>(betaAt, alpha);
    memory.fill(x + 8, 0, (<usize>(count - 1)) << 3);
    return 0;
  }
  const norm = sqrt(alpha * alpha + rest);
  const beta = alpha > 0 ? -norm : norm;
  scale(x + 8, 1 / (alpha - beta), count - 1);
  store<f64>(betaAt, beta);
  return (beta - alpha) / beta;
}
