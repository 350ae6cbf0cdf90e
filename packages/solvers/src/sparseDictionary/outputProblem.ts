import { gemm, type Matrix, symmetricEigen } from '@quern/linalg';
import { diagonalSum } from '../lowRank/diagonalSum.ts';
import { scaleRows } from './scaleRows.ts';
import type { WhitenedWeight } from './whitenWeight.ts';

/** Of the mean of the Gram's diagonal: inputs that are never there count as if they had so much. */
const LEAST_INPUT = 1e-8;

/** Added to the diagonal of the correlations: keeps inputs that depend on each other apart. */
const INDEPENDENT = 1e-6;

/** A weight for atoms over its outputs, its inputs scaled to one size: errors count in the metric of the inputs' correlations. */
export interface OutputProblem {
  /** Y `[outFeatures, inFeatures]`, rows scaled as the sites count, columns by `roots`. */
  readonly target: Matrix<Float64Array>;
  /** R `[inFeatures, inFeatures]`, 1 on the diagonal but for a trace. */
  readonly correlations: Matrix<Float64Array>;
  /** Y R. */
  readonly pull: Matrix<Float64Array>;
  /** tr(Y R Y^T). */
  readonly energy: number;
  /** `[inFeatures]`: roots of the Gram's diagonal. */
  readonly roots: Float64Array;
}

/** An {@link OutputProblem} in float32 and what learning needs of it besides. */
export interface OutputLearning {
  readonly target: Matrix<Float32Array>;
  readonly correlations: Matrix<Float32Array>;
  readonly pull: Matrix<Float32Array>;
  readonly energy: number;
  /** R = directions^T diag(spectrum) directions, one direction a row. */
  readonly directions: Matrix<Float32Array>;
  readonly spectrum: Float64Array;
  /** Eigenvectors of Y R Y^T as rows `[outFeatures, outFeatures]`, the largest first. */
  readonly outputs: Matrix<Float32Array>;
}

/** Cost: outFeatures inFeatures^2 multiply-adds. */
export async function outputProblem({
  weight,
  gram,
  rowScales,
}: Pick<WhitenedWeight, 'weight' | 'gram' | 'rowScales'>): Promise<OutputProblem> {
  const { rows, columns } = weight;
  const shift = (LEAST_INPUT * diagonalSum(gram)) / columns;
  const roots = Float64Array.from({ length: columns }, (_, input) =>
    Math.sqrt(gram.data[input * (columns + 1)]! + shift),
  );
  const correlations = { rows: columns, columns, data: gram.data.slice() };
  for (let index = 0; index < correlations.data.length; index++) {
    correlations.data[index]! /= roots[Math.floor(index / columns)]! * roots[index % columns]!;
  }
  for (let index = 0; index < correlations.data.length; index += columns + 1) correlations.data[index]! += INDEPENDENT;
  const scaled = rowScales ? scaleRows(weight, rowScales) : weight;
  const target = { rows, columns, data: scaled.data.map((value, index) => value * roots[index % columns]!) };
  const pull = await gemm(target, correlations);
  const energy = pull.data.reduce((sum, value, index) => sum + value * target.data[index]!, 0);
  return { target, correlations, pull, energy, roots };
}

/** Cost: eigenproblems of inFeatures and of outFeatures. */
export async function outputLearning({ target, correlations, pull, energy }: OutputProblem): Promise<OutputLearning> {
  const inputs = await symmetricEigen(correlations);
  const { vectors } = await symmetricEigen(await gemm(pull, target, { transposeB: true }));
  return {
    ...{ target: narrow(target), correlations: narrow(correlations), pull: narrow(pull), energy },
    ...{ directions: narrow(inputs.vectors), spectrum: inputs.values, outputs: narrow(vectors) },
  };
}

function narrow({ rows, columns, data }: Matrix<Float64Array>): Matrix<Float32Array> {
  return { rows, columns, data: new Float32Array(data) };
}
