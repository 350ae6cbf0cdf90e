import type { Matrix } from './matrix.ts';

/**
 * A Hadamard matrix: entries 1 and -1, H H^T = n I. Null for orders that this construction does not reach.
 *
 * Source: Paley's two constructions (quadratic residues of a prime) and Sylvester's doubling. They give every order 2^k (p + 1) for
 * primes p = 3 mod 4 and 2^k 2 (p + 1) for p = 1 mod 4: all multiples of 4 up to 88 but 52, and the widths of most
 * language models.
 * Cost: n^2 values.
 */
export function hadamard(order: number): Matrix<Float64Array> | null {
  let base: Matrix<Float64Array> | null = null;
  for (let size = order; Number.isSafeInteger(size) && size >= 1; size /= 2) base = paley(size) ?? base;
  return base && doubled(base, order / base.rows);
}

/** Order 1, or one of Paley's. */
function paley(order: number): Matrix<Float64Array> | null {
  if (order === 1) return { rows: 1, columns: 1, data: Float64Array.of(1) };
  if (order % 4 !== 0) return null;
  if (isPrime(order - 1)) return firstPaley(order - 1);
  const half = order / 2 - 1;
  return half % 4 === 1 && isPrime(half) ? secondPaley(half) : null;
}

/** Order p + 1 for a prime p = 3 mod 4: I + S, where S is bordered by 1 above and -1 at the left of the residues' signs. */
function firstPaley(prime: number): Matrix<Float64Array> {
  const n = prime + 1;
  const core = conference(prime);
  const data = Float64Array.from({ length: n * n }, (_, at) => {
    const [row, column] = [Math.floor(at / n), at % n];
    if (row === column) return 1;
    return column === 0 ? -1 : core[at]!;
  });
  return { rows: n, columns: n, data };
}

/** Order 2 (p + 1) for a prime p = 1 mod 4: [[S + I, S - I], [S - I, -S - I]] for the symmetric S. */
function secondPaley(prime: number): Matrix<Float64Array> {
  const half = prime + 1;
  const n = 2 * half;
  const core = conference(prime);
  const data = Float64Array.from({ length: n * n }, (_, at) => {
    const [row, column] = [Math.floor(at / n), at % n];
    const inner = core[(row % half) * half + (column % half)]!;
    const one = row % half === column % half ? 1 : 0;
    if (row < half) return column < half ? inner + one : inner - one;
    return column < half ? inner - one : -inner - one;
  });
  return { rows: n, columns: n, data };
}

/** 0 on the diagonal, 1 in the rest of the first row and column, and the quadratic character of i - j, `[p + 1, p + 1]`. */
function conference(prime: number): Float64Array {
  const n = prime + 1;
  const isResidue = new Uint8Array(prime);
  for (let value = 1; value < prime; value++) isResidue[(value * value) % prime] = 1;
  return Float64Array.from({ length: n * n }, (_, at) => {
    const [row, column] = [Math.floor(at / n), at % n];
    if (row === column) return 0;
    if (row === 0 || column === 0) return 1;
    return isResidue[(row - column + prime) % prime] === 1 ? 1 : -1;
  });
}

/** The Kronecker product with Sylvester's matrix of order `times`, a power of 2. */
function doubled(base: Matrix<Float64Array>, times: number): Matrix<Float64Array> {
  let { rows: n, data } = base;
  for (let factor = 1; factor < times; factor *= 2) {
    const wide = 2 * n;
    const next = new Float64Array(wide * wide);
    for (let row = 0; row < wide; row++) {
      for (let column = 0; column < wide; column++) {
        const value = data[(row % n) * n + (column % n)]!;
        next[row * wide + column] = row >= n && column >= n ? -value : value;
      }
    }
    [n, data] = [wide, next];
  }
  return { rows: n, columns: n, data };
}

function isPrime(value: number): boolean {
  if (value < 2) return false;
  for (let divisor = 2; divisor * divisor <= value; divisor++) if (value % divisor === 0) return false;
  return true;
}
