import type { Matrix } from '@quern/linalg';
import { type CodeGrid, codeGrid, firstScale, levelOf, toCode, toScale } from './codeGrid.ts';
import type { NormalEquations } from './fitOnSupport.ts';

const ROUNDS = 4;

/** Coefficients on grids. */
export interface RoundedCoefficients {
  /** One for each nonzero, row by row, 0 .. 2^bits - 1. */
  readonly codes: Uint8Array;
  /** `[rows]`, in float16; w = scale level, see {@link sparseLevels}. */
  readonly scales: Float32Array;
  /** What they stand for. */
  readonly values: Matrix<Float64Array>;
}

/**
 * Nonzero coefficients rounded to a sparse grid of `bits`, one scale a row, by coordinate descent on ||Y - C D||_F: each in turn to the
 * level that leaves least, all others as they are; then the scale by least squares; a few times.
 *
 * Zeros stay. A round never raises the objective but by the rounding of its scale to float16. Errors: SOLVER_FAILED for scales above 65504. Cost: four passes of nonzeros times atoms.
 */
export function roundOnSupport(
  coefficients: Matrix<Float64Array>,
  equations: NormalEquations,
  bits: number,
): RoundedCoefficients {
  const { rows, columns } = coefficients;
  const values = { rows, columns, data: new Float64Array(rows * columns) };
  const grid = codeGrid(bits);
  const scales = new Float32Array(rows);
  const codes: number[] = [];
  for (let row = 0; row < rows; row++) {
    const own = coefficients.data.subarray(row * columns, (row + 1) * columns);
    const support = [...own.keys()].filter(atom => own[atom] !== 0);
    const correlations = equations.correlations.data.subarray(row * columns, (row + 1) * columns);
    const rounded = roundRow({ support, own, correlations, atomGram: equations.atomGram, grid });
    scales[row] = rounded.scale;
    for (const [index, atom] of support.entries()) {
      codes.push(rounded.codes[index]!);
      values.data[row * columns + atom] = rounded.scale * levelOf(rounded.codes[index]!, grid);
    }
  }
  return { codes: Uint8Array.from(codes), scales, values };
}

interface RowProblem {
  /** Atoms in use. */
  readonly support: readonly number[];
  /** Coefficients that need no rounding. */
  readonly own: Float64Array;
  readonly correlations: Float64Array;
  readonly atomGram: Matrix<Float64Array>;
  readonly grid: CodeGrid;
}

function roundRow({ support, own, correlations, atomGram, grid }: RowProblem): { scale: number; codes: Int32Array } {
  const count = atomGram.columns;
  const { step } = grid;
  const at = (code: number): number => levelOf(code, grid);
  let scale = toScale(
    firstScale(
      Float64Array.from(support, atom => own[atom]!),
      grid,
    ),
  );
  const codes = Int32Array.from(support, atom => toCode(own[atom]! / scale, grid));
  if (scale === 0) return { scale, codes };
  const left = new Float64Array(count);
  const refill = (): void => {
    left.set(correlations);
    for (const [index, atom] of support.entries()) subtract(left, atomGram, atom, scale * at(codes[index]!));
  };
  refill();
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, atom] of support.entries()) {
      const curvature = atomGram.data[atom * (count + 1)]!;
      if (!(curvature > 0)) continue;
      const code = toCode(at(codes[index]!) + left[atom]! / (scale * curvature), grid);
      if (code === codes[index]) continue;
      subtract(left, atomGram, atom, scale * step * (code - codes[index]!));
      codes[index] = code;
    }
    // u G u and u y for the levels u: the scale that fits them.
    let [fit, size] = [0, 0];
    for (const [index, atom] of support.entries()) {
      const level = at(codes[index]!);
      fit += level * correlations[atom]!;
      size += (level * (correlations[atom]! - left[atom]!)) / scale;
    }
    const fitted = size > 0 ? toScale(fit / size) : scale;
    if (!(fitted > 0) || fitted === scale) break;
    scale = fitted;
    refill();
  }
  return { scale, codes };
}

function subtract(left: Float64Array, { data, columns }: Matrix<Float64Array>, atom: number, change: number): void {
  const start = atom * columns;
  for (let other = 0; other < columns; other++) left[other]! -= change * data[start + other]!;
}
