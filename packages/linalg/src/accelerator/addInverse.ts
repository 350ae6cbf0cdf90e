import type { GraphWriter } from './createGraphWriter.ts';

/** The least eigenvalue that is taken to 1, as a share of the bound of the largest. */
const LEAST = 1e-3;

/** From 1e-3 to 0.999. */
const STEPS = 7;

/** Products of matrices of this size that an inverse takes. */
export const INVERSE_PRODUCTS = 2 * STEPS - 2;

/**
 * The inverse of a symmetric positive semidefinite matrix A from products alone: X <- 2 a X - a^2 X A X from a multiple of the identity.
 *
 * A step takes eigenvalues l of A X to a l (2 - a l). With a = 2 / (1 + least) those at both ends of [least, 1] meet, and the least grows
 * four times; it started below 1, and stays: the result is never more than the inverse, directions with less than 1e-3 of the bound get less, and
 * those without any a finite multiple. The bound of the largest eigenvalue is the root of the largest sum of magnitudes of a row of A^2, which the second
 * step needs anyway.
 * Source: Newton and Schulz, scaled as by Pan and Schreiber 1991. Needs the constants of `inverseConstants`.
 * Cost: `INVERSE_PRODUCTS`.
 */
export function addInverse({ add }: GraphWriter, matrix: string, identity: string): string {
  const square = add('Gemm', [matrix, matrix]);
  const rowSums = add('ReduceSum', [add('Abs', [square]), 'rowAxis'], { keepdims: 0 });
  const squaredBound = add('Max', [add('ReduceMax', [rowSums], { keepdims: 0 }), 'tiny']);
  const bound = add('Sqrt', [squaredBound]);
  const normed = add('Div', [matrix, bound]);
  const normedSquare = add('Div', [square, squaredBound]);
  const minus = (doubled: readonly [string, string], subtracted: string): string =>
    add('Sub', [add('Mul', [...doubled]), add('Mul', [subtracted, 'inverse.aa'])]);
  let inverse = minus([identity, 'inverse.2a'], normed);
  let product = minus([normed, 'inverse.2a'], normedSquare);
  for (const [step, a] of stepSizes().entries()) {
    if (step === 0) continue;
    if (step > 1) product = add('Gemm', [normed, inverse]);
    inverse = add('Gemm', [inverse, product, inverse], { alpha: { float: -a * a }, beta: { float: 2 * a } });
  }
  return add('Div', [inverse, bound]);
}

/** Scalars of a graph with inverses. */
export function inverseConstants(): Readonly<Record<string, number>> {
  const [a] = stepSizes() as [number];
  return { 'inverse.2a': 2 * a, 'inverse.aa': a * a };
}

function stepSizes(): number[] {
  let least = LEAST;
  return Array.from({ length: STEPS }, () => {
    const a = 2 / (1 + least);
    least = a * least * (2 - a * least);
    return a;
  });
}
