import {
  type DenseWeight,
  type QuantizedWeight,
  reconstruct,
  type SparseGridWeight,
  type SparseWeight,
} from '@quern/core';
import { gemm, type Matrix, transpose } from '@quern/linalg';
import { quantizeFactor } from '../lowRank/quantizeFactor.ts';
import { toFloat64 } from '../lowRank/toFloat64.ts';
import { toDenseWeight } from '../toDenseWeight.ts';
import { coefficientGram } from './coefficientGram.ts';
import { type DictionaryFormat, groupOfAtoms } from './dictionaryFormat.ts';
import { fitInMetric, type MetricSystem } from './fitInMetric.ts';
import { fitOutputAtoms, type OutputAtoms } from './fitOutputAtoms.ts';
import { keepPlaces } from './keepPlaces.ts';
import type { OutputProblem, OutputSegment } from './outputProblem.ts';
import { roundInMetric } from './roundInMetric.ts';
import { scaleRows } from './scaleRows.ts';
import { type SideBySide, sideBySide } from './sideBySide.ts';
import { toSparse } from './toSparse.ts';

const FIT_STEPS = 20;

/** Of atoms fitted to rounded coefficients; on grids only. */
const GRID_ROUNDS = 4;
const GRID_RIDGE = 1e-3;

/** Factors over outputs as they are stored. */
export interface StoredOutputCode {
  /** `[outFeatures, atomCount]`, for all sites. */
  readonly left: DenseWeight | QuantizedWeight;
  /** `[atomCount, inFeatures]`, one a site. */
  readonly rights: readonly (SparseWeight | SparseGridWeight)[];
  /** The share of the energy of all sites that is left over. */
  readonly remaining: number;
}

/**
 * Atoms over outputs and coefficients over inputs as they are stored: atoms on the left, their rows' scales undone, rounded; coefficients on
 * the right, fitted to the atoms as they were rounded, the inputs' roots undone, then rounded too. On grids the dictionary follows the rounded
 * coefficients in turn, by least squares and then GPTQ, four times in all, and the best pair stays: both are rounded inside the objective.
 *
 * Errors: SOLVER_FAILED for values above 65504. Cost: for each site 20 steps of fitInMetric, on grids four times that, roundInMetric and GPTQ.
 */
export async function storeOutputCode(
  problem: OutputProblem,
  rowScales: Float64Array | null,
  code: OutputAtoms<Float64Array>,
  format: DictionaryFormat,
): Promise<StoredOutputCode> {
  const isFloat = format.bits === 16 && format.atomBits === 16;
  let best = await storeOnce(problem, rowScales, code, format);
  for (let round = 1; round < GRID_ROUNDS && !isFloat && problem.energy > 0; round++) {
    const coefficients = copyOf(best.values);
    const { atoms } = await fitOutputAtoms(problem.segments, { atoms: best.atoms, coefficients }, GRID_RIDGE);
    coefficients.data.set(keepPlaces(coefficients.data, code.coefficients.data));
    const next = await storeOnce(problem, rowScales, { atoms, coefficients }, format);
    if (next.remaining >= best.remaining) break;
    best = next;
  }
  const { left, rights, remaining } = best;
  return { left, rights, remaining };
}

/** A pair as it is stored, and what it stands for. */
interface StoredPair extends StoredOutputCode {
  readonly atoms: Matrix<Float64Array>;
  readonly values: SideBySide<Float64Array>;
}

async function storeOnce(
  { segments, energy }: OutputProblem,
  rowScales: Float64Array | null,
  code: OutputAtoms<Float64Array>,
  format: DictionaryFormat,
): Promise<StoredPair> {
  const turned = transpose(code.atoms);
  const left = await storeAtoms(rowScales ? scaleRows(turned, rowScales, 'over') : turned, segments, code, format);
  const stored = toFloat64(await reconstruct(left));
  const rounded = rowScales ? scaleRows(stored, rowScales) : stored;
  const atomGram = await gemm(rounded, rounded, { transposeA: true });
  const rights: (SparseWeight | SparseGridWeight)[] = [];
  const values = copyOf(code.coefficients);
  let rest = energy;
  for (const [index, segment] of segments.entries()) {
    const products = await gemm(rounded, segment.pull, { transposeA: true });
    const system = { atomGram, products, correlations: segment.correlations };
    const own = await storeCoefficients(code.coefficients.parts[index]!, segment, system, format);
    rights.push(own.right);
    values.parts[index]!.data.set(own.values.data);
    rest += await changeBy(own.values, system);
  }
  return { left, rights, remaining: energy > 0 ? Math.max(0, rest / energy) : 0, atoms: transpose(rounded), values };
}

async function storeAtoms(
  plain: Matrix<Float64Array>,
  segments: readonly OutputSegment[],
  { coefficients: { parts } }: OutputAtoms<Float64Array>,
  { atomBits, groupSize }: DictionaryFormat,
): Promise<DenseWeight | QuantizedWeight> {
  if (atomBits === 16) return toDenseWeight(plain, 'The dictionary');
  // What an error of the dictionary costs, the same for every output but for its scale.
  const count = plain.columns;
  const gram = await coefficientGram(segments, parts);
  // Where values are tiny, as those of places that are only kept, rounding leaves the Gram not quite symmetric.
  const mirrored = transpose(gram);
  for (let index = 0; index < gram.data.length; index++) {
    gram.data[index] = (gram.data[index]! + mirrored.data[index]!) / 2;
  }
  return quantizeFactor(plain, gram, { bits: atomBits, groupSize: groupOfAtoms(groupSize, count) });
}

async function storeCoefficients(
  coefficients: Matrix<Float64Array>,
  { roots }: OutputSegment,
  system: MetricSystem,
  { bits }: DictionaryFormat,
): Promise<{ readonly right: SparseWeight | SparseGridWeight; readonly values: Matrix<Float64Array> }> {
  const { rows, columns } = coefficients;
  const fitted = await fitInMetric(coefficients, system, FIT_STEPS);
  if (bits === 16) {
    const plain = fitted.data.map((value, index) => value / roots[index % columns]!);
    const { data } = toDenseWeight({ rows, columns, data: plain }, 'The coefficients');
    const values = Float64Array.from(data, (value, index) => value * roots[index % columns]!);
    return { right: toSparse(data, coefficients), values: { rows, columns, data: values } };
  }
  // A value that least squares took to 0 keeps its place.
  const kept = { rows, columns, data: keepPlaces(fitted.data, coefficients.data) };
  const { codes, scales, values } = await roundInMetric(kept, system, { bits, roots });
  const { values: _, kind: __, ...sparse } = toSparse(new Float32Array(rows * columns), coefficients);
  return { right: { kind: 'sparseGrid', ...sparse, bits, codes, scales }, values };
}

/** tr((Y - A^T C) R (Y - A^T C)^T) less tr(Y R Y^T). */
async function changeBy(
  values: Matrix<Float64Array>,
  { atomGram, products, correlations }: MetricSystem,
): Promise<number> {
  const image = await gemm(await gemm(atomGram, values), correlations);
  let change = 0;
  for (let index = 0; index < image.data.length; index++) {
    change += values.data[index]! * (image.data[index]! - 2 * products.data[index]!);
  }
  return change;
}

function copyOf({ data, parts }: SideBySide<Float64Array>): SideBySide<Float64Array> {
  return sideBySide(
    data.slice(),
    parts[0]!.rows,
    parts.map(({ columns }) => columns),
  );
}
