import { type Factor, type LowRankWeight, reconstruct, type SparseGridWeight, type SparseWeight } from '@quern/core';
import { gemm, type Matrix } from '@quern/linalg';
import { quantizeFactor } from '../lowRank/quantizeFactor.ts';
import { toFloat64 } from '../lowRank/toFloat64.ts';
import { toDenseWeight } from '../toDenseWeight.ts';
import type { DictionaryFormat } from './dictionaryFormat.ts';
import { fitAtoms } from './fitAtoms.ts';
import { fitOnSupport } from './fitOnSupport.ts';
import { keepPlaces } from './keepPlaces.ts';
import type { LearntCode } from './learntCode.ts';
import { normalizeRows } from './normalizeRows.ts';
import { remainder } from './remainder.ts';
import { roundOnSupport } from './roundOnSupport.ts';
import { scaleRows } from './scaleRows.ts';
import type { SparseCode } from './sparseCode.ts';
import { toSparse } from './toSparse.ts';
import type { WhitenedWeight } from './whitenWeight.ts';

const FIT_STEPS = 12;

/** Of atoms fitted to rounded coefficients; on grids only. */
const GRID_ROUNDS = 4;
const GRID_RIDGE = 1e-3;

/**
 * A code of the whitened weight as it is stored: the dictionary back from the whitened space, its rows of norm 1, rounded; the
 * coefficients fitted to it as it was rounded, then rounded too. On grids the dictionary follows the rounded coefficients in turn, by least
 * squares and then GPTQ, four times in all, and the best pair stays: both are rounded inside the objective. Row scales are undone in the
 * coefficients before they are rounded.
 *
 * Errors: SOLVER_FAILED for values above 65504. Cost: atomCount inFeatures^2 + 13 outFeatures atomCount^2 multiply-adds, on grids
 * four times that and GPTQ's.
 */
export async function storeCode(
  problem: WhitenedWeight,
  code: LearntCode,
  format: DictionaryFormat,
): Promise<LowRankWeight> {
  const { rows: outFeatures, columns: inFeatures } = problem.weight;
  const energy = problem.target.data.reduce((sum, value) => sum + value * value, 0);
  const isFloat = format.bits === 16 && format.atomBits === 16;
  let current: SparseCode = code;
  let best = await storeOnce(problem, current, format, energy);
  for (let round = 1; round < GRID_ROUNDS && !isFloat && energy > 0; round++) {
    // In the whitened space, where least squares for the atoms is that of the outputs.
    const whitened = await problem.whitening.apply(await factorValues(best.right));
    current = await fitAtoms(problem.target, { coefficients: best.values, atoms: whitened }, GRID_RIDGE);
    const next = await storeOnce(problem, withSupport(current, code), format, energy);
    if (next.left >= best.left) break;
    best = next;
  }
  const factors = { left: best.coefficients, right: best.right, sharedRight: null };
  const convergence = { objectives: [...code.objectives, best.left], stoppedBy: code.stoppedBy };
  return { kind: 'lowRank', outFeatures, inFeatures, ...factors, convergence };
}

/** A pair of factors as they are stored. */
interface StoredPair {
  readonly right: Factor;
  readonly coefficients: SparseWeight | SparseGridWeight;
  /** What the coefficients stand for, in the target's scales. */
  readonly values: Matrix<Float64Array>;
  /** The share of ||Y||_F^2 that is left. */
  readonly left: number;
}

async function storeOnce(
  { weight, gram, whitening, rowScales }: WhitenedWeight,
  code: SparseCode,
  { bits, atomBits, groupSize }: DictionaryFormat,
  energy: number,
): Promise<StoredPair> {
  const plain = await whitening.undo(code.atoms);
  const norms = normalizeRows(plain);
  const right =
    atomBits === 16
      ? toDenseWeight(plain, 'The dictionary')
      : await quantizeFactor(plain, gram, { bits: atomBits, groupSize });
  const atoms = await factorValues(right);
  const weighted = await gemm(atoms, gram);
  const equations = {
    atomGram: await gemm(weighted, atoms, { transposeB: true }),
    correlations: await gemm(weight, weighted, { transposeB: true }),
  };
  const { rows, columns } = code.coefficients;
  const scaled = code.coefficients.data.map((value, index) => value * norms[index % columns]!);
  const given = { rows, columns, data: scaled };
  // From here on each row is a problem of its own, and none knows of its scale.
  const fitted = await fitOnSupport(rowScales ? scaleRows(given, rowScales, 'over') : given, equations, FIT_STEPS);
  const measured = async (own: Matrix<Float64Array>): Promise<Pick<StoredPair, 'values' | 'left'>> => {
    const values = rowScales ? scaleRows(own, rowScales) : own;
    if (energy === 0) return { values, left: 0 };
    const correlations = rowScales ? scaleRows(equations.correlations, rowScales) : equations.correlations;
    return { values, left: await remainder(values, { ...equations, correlations }, energy) };
  };
  if (bits === 16) {
    const { data } = toDenseWeight(fitted, 'The coefficients');
    const coefficients = toSparse(data, code.coefficients);
    return { right, coefficients, ...(await measured({ rows, columns, data: Float64Array.from(data) })) };
  }
  // A value that least squares took to 0 keeps its place.
  const kept = withSupport({ coefficients: fitted, atoms }, code).coefficients;
  const { codes, scales, values } = roundOnSupport(kept, equations, bits);
  const { mask, ...shape } = toSparse(new Float32Array(rows * columns), code.coefficients);
  const sparse = { outFeatures: shape.outFeatures, inFeatures: shape.inFeatures, mask };
  return { right, coefficients: { kind: 'sparseGrid', ...sparse, bits, codes, scales }, ...(await measured(values)) };
}

async function factorValues(factor: Factor): Promise<Matrix<Float64Array>> {
  return toFloat64(await reconstruct(factor));
}

/** A code with the places of another one. */
function withSupport({ coefficients, atoms }: SparseCode, { coefficients: { data: support } }: SparseCode): SparseCode {
  return { atoms, coefficients: { ...coefficients, data: keepPlaces(coefficients.data, support) } };
}
