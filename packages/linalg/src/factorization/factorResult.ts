import type { Matrix } from '../matrix.ts';

/** Failure is data: the first row (from 0) at which the matrix is not positive definite, in its own order. */
export type FactorResult =
  | { readonly matrix: Matrix<Float64Array>; readonly pivot: null }
  | { readonly matrix: null; readonly pivot: number };
