import { gemm, type Matrix, symmetricEigen } from '@quern/linalg';
import { diagonalSum } from '../lowRank/diagonalSum.ts';
import { toFloat32 } from '../lowRank/toFloat32.ts';
import { equalScales } from './equalScales.ts';
import type { SharingSite } from './sharingSite.ts';

/** Of the mean of the Gram's diagonal: inputs that are never there count as if they had so much. */
const LEAST_INPUT = 1e-8;

/** Added to the diagonal of the correlations: keeps inputs that depend on each other apart. */
const INDEPENDENT = 1e-6;

/** A weight in the metric of its inputs. */
export interface Segment<Data extends Float32Array | Float64Array> {
  /** Y `[outFeatures, inFeatures]`, columns scaled by `roots`. */
  readonly target: Matrix<Data>;
  /** R `[inFeatures, inFeatures]`, 1 on the diagonal but for a trace. */
  readonly correlations: Matrix<Data>;
  /** Y R. */
  readonly pull: Matrix<Data>;
}

/** A weight for atoms over its outputs, its inputs scaled to one size: errors count in the metric of their correlations. */
export interface OutputSegment extends Segment<Float64Array> {
  /** `[inFeatures]`: roots of the Gram's diagonal, times what the weight was scaled by. */
  readonly roots: Float64Array;
}

/** Weights that have atoms over their outputs in common, side by side. */
export interface OutputProblem {
  readonly segments: readonly OutputSegment[];
  /** sum_i tr(Y_i R_i Y_i^T). */
  readonly energy: number;
}

/**
 * Several weights of as many outputs side by side, each scaled so that its relative squared error counts like that of the others; one alone is not
 * scaled. Rows are scaled already as they count.
 *
 * Cost: outFeatures inFeatures^2 multiply-adds a site.
 */
export async function outputProblem(sites: readonly SharingSite[]): Promise<OutputProblem> {
  const segments: OutputSegment[] = [];
  for (const site of sites) segments.push(await segmentOf(site));
  const energies = segments.map(energyOf);
  const energy = energies.reduce((sum, own) => sum + own, 0);
  if (sites.length === 1) return { segments, energy };
  const scales = equalScales(energies);
  const scaled = segments.map(({ target, correlations, pull, roots }, index) => ({
    target: times(target, scales[index]!),
    correlations,
    pull: times(pull, scales[index]!),
    roots: roots.map(root => root * scales[index]!),
  }));
  return { segments: scaled, energy: scaled.reduce((sum, segment) => sum + energyOf(segment), 0) };
}

async function segmentOf({ weight, gram }: SharingSite): Promise<OutputSegment> {
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
  const target = { rows, columns, data: weight.data.map((value, index) => value * roots[index % columns]!) };
  return { target, correlations, pull: await gemm(target, correlations), roots };
}

function energyOf({ target, pull }: OutputSegment): number {
  return pull.data.reduce((sum, value, index) => sum + value * target.data[index]!, 0);
}

function times({ rows, columns, data }: Matrix<Float64Array>, factor: number): Matrix<Float64Array> {
  return { rows, columns, data: data.map(value => value * factor) };
}

/** A segment in float32, with the eigenvectors of its correlations. */
export interface LearningSegment extends Segment<Float32Array> {
  /** R = directions^T diag(spectrum) directions, one direction a row. */
  readonly directions: Matrix<Float32Array>;
  readonly spectrum: Float64Array;
}

/** An {@link OutputProblem} in float32 and what learning needs of it besides. */
export interface OutputLearning {
  readonly segments: readonly LearningSegment[];
  readonly energy: number;
  /** Eigenvectors of sum_i Y_i R_i Y_i^T as rows `[outFeatures, outFeatures]`, the largest first. */
  readonly outputs: Matrix<Float32Array>;
}

/** Cost: eigenproblems of inFeatures, one a site, and of outFeatures. */
export async function outputLearning({ segments, energy }: OutputProblem): Promise<OutputLearning> {
  const prepared: LearningSegment[] = [];
  const outputs = segments[0]!.target.rows;
  const sum = { rows: outputs, columns: outputs, data: new Float64Array(outputs ** 2) };
  for (const { target, correlations, pull } of segments) {
    const { values, vectors } = await symmetricEigen(correlations);
    await gemm(pull, target, { transposeB: true, beta: 1, output: sum });
    prepared.push({
      ...{ target: toFloat32(target), correlations: toFloat32(correlations), pull: toFloat32(pull) },
      ...{ directions: toFloat32(vectors), spectrum: values },
    });
  }
  const { vectors } = await symmetricEigen(sum);
  return { segments: prepared, energy, outputs: toFloat32(vectors) };
}
