const MAXIMUM_SWEEPS = 60;

/**
 * Eigenvalues of a small symmetric tridiagonal matrix in place of its diagonal, unordered; the rows of the square matrix
 * `vectors` become its unit eigenvectors when they start as the identity. `offDiagonal` is lost.
 *
 * Implicit QL with Wilkinson's shift. Source: Golub and Van Loan, section 8.3; EISPACK's tql2 (Martin, Wilkinson 1968).
 * Errors: when an eigenvalue has not converged after 60 sweeps. Cost: about 3 count^3 multiply-adds, no scratch.
 */
export function tridiagonalQl(diagonal: Float64Array, offDiagonal: Float64Array, vectors: Float64Array): void {
  const count = diagonal.length;
  const largest = diagonal.reduce(
    (size, value, row) => Math.max(size, Math.abs(value), Math.abs(offDiagonal[row]!)),
    0,
  );
  // Half a unit of rounding of the matrix: graded ones need not converge further. Denormal numbers are 0.
  const negligible = Math.max(Number.EPSILON * largest * 0.5, 1e-290);
  for (let first = 0; first < count; first++) {
    for (let sweep = 0; ; sweep++) {
      const last = endOfBlock(offDiagonal, first, negligible);
      if (last === first) break;
      if (sweep === MAXIMUM_SWEEPS) throw new Error(`tridiagonalQl: eigenvalue ${first} of ${count} did not converge`);
      qlSweep(diagonal, offDiagonal, first, last, (row, cosine, sine) =>
        rotateRows(vectors, row * count, (row + 1) * count, count, cosine, sine),
      );
    }
  }
}

/** The first row from `first` on whose neighbour to the right is negligible. */
function endOfBlock(offDiagonal: Float64Array, first: number, negligible: number): number {
  let row = first;
  while (row < offDiagonal.length - 1 && !(Math.abs(offDiagonal[row]!) <= negligible)) row++;
  return row;
}

function qlSweep(
  d: Float64Array,
  e: Float64Array,
  first: number,
  last: number,
  rotate: (row: number, cosine: number, sine: number) => void,
): void {
  const half = (d[first + 1]! - d[first]!) / (2 * e[first]!);
  const length = Math.hypot(half, 1);
  let g = d[last]! - d[first]! + e[first]! / (half + (half >= 0 ? length : -length));
  let sine = 1;
  let cosine = 1;
  let shift = 0;
  for (let row = last - 1; row >= first; row--) {
    const f = sine * e[row]!;
    const b = cosine * e[row]!;
    const r = Math.hypot(f, g);
    e[row + 1] = r;
    if (r === 0) {
      // The matrix has split: start again on the parts.
      d[row + 1]! -= shift;
      e[last] = 0;
      return;
    }
    sine = f / r;
    cosine = g / r;
    g = d[row + 1]! - shift;
    const turn = (d[row]! - g) * sine + 2 * cosine * b;
    shift = sine * turn;
    d[row + 1] = g + shift;
    g = cosine * turn - b;
    rotate(row, cosine, sine);
  }
  d[first]! -= shift;
  e[first] = g;
  e[last] = 0;
}

/** (x, y) := (cosine x - sine y, sine x + cosine y) for two rows. */
function rotateRows(data: Float64Array, x: number, y: number, count: number, cosine: number, sine: number): void {
  for (let column = 0; column < count; column++) {
    const upper = data[x + column]!;
    const lower = data[y + column]!;
    data[x + column] = cosine * upper - sine * lower;
    data[y + column] = sine * upper + cosine * lower;
  }
}
