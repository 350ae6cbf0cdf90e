import { gemm, type Matrix, transpose } from '@quern/linalg';
import { type CodeGrid, codeGrid, firstScale, levelOf, toCode, toScale } from './codeGrid.ts';
import type { MetricSystem } from './fitInMetric.ts';
import type { RoundedCoefficients } from './roundOnSupport.ts';
import { shiftedInverse } from './shiftedInverse.ts';

const ROUNDS = 4;

/** Times that the coefficients of an input are gone through before the next input's. */
const PASSES = 2;

/** Inputs whose errors are brought up to date together; does not change the result but by rounding. */
const BLOCK = 64;

/** Of the mean of the diagonal. */
const SCALE_RIDGE = 1e-6;

/** The code of a zero that stays. */
const UNUSED = -1;

/** How coefficients over inputs are stored. */
export interface MetricGrid {
  readonly bits: number;
  /** `[inFeatures]`: what a stored value is multiplied by to be a coefficient of the system. */
  readonly roots: Float64Array;
}

/**
 * Nonzero coefficients C `[atomCount, inFeatures]` rounded to a sparse grid, one scale an atom, by coordinate descent on
 * tr((Y - A^T C) R (Y - A^T C)^T): input by input each coefficient to the level that leaves least, all others as they are, so that in the first round what
 * is not rounded yet makes up for what is; then all scales by least squares; a few times.
 *
 * Zeros stay. After the first, no round raises the objective. Codes and scales are those of C over its roots, the values those of C.
 * Errors: SOLVER_FAILED for scales above 65504.
 * Cost: a round takes 2 atomCount inFeatures (inFeatures + 2 atomCount) multiply-adds in products and up to 2 atomCount for each nonzero, and an inverse of atomCount.
 */
export async function roundInMetric(
  coefficients: Matrix<Float64Array>,
  system: MetricSystem,
  { bits, roots }: MetricGrid,
): Promise<RoundedCoefficients> {
  const { rows: count, columns: inputs } = coefficients;
  const grid = codeGrid(bits);
  const scales = Float64Array.from({ length: count }, (_, atom) => startOf(atom, { coefficients, roots, grid }));
  const state: RoundingState = {
    ...system,
    products: transpose(system.products),
    grid,
    roots,
    scales,
    values: transpose(coefficients),
    codes: new Int16Array(count * inputs).fill(UNUSED),
  };
  for (const [index, value] of state.values.data.entries()) if (value !== 0) state.codes[index] = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const isMoved = await roundOnce(state);
    const isScaled = await fitScales(state);
    if (!isMoved && !isScaled) break;
  }
  const codes = transposeCodes(state.codes, inputs, count).filter(code => code !== UNUSED);
  return { codes: Uint8Array.from(codes), scales: Float32Array.from(scales), values: transpose(state.values) };
}

/** Inputs are the rows of everything here. */
interface RoundingState extends MetricSystem {
  readonly grid: CodeGrid;
  readonly roots: Float64Array;
  readonly scales: Float64Array;
  readonly values: Matrix<Float64Array>;
  readonly codes: Int16Array;
}

function startOf(
  atom: number,
  {
    coefficients: { columns, data },
    roots,
    grid,
  }: { readonly coefficients: Matrix<Float64Array>; readonly roots: Float64Array; readonly grid: CodeGrid },
): number {
  const own = data.subarray(atom * columns, (atom + 1) * columns);
  const places = [...own.keys()].filter(input => own[input] !== 0);
  const values = Float64Array.from(places, input => own[input]! / roots[input]!);
  return toScale(
    firstScale(
      values,
      grid,
      Float64Array.from(places, input => roots[input]! ** 2),
    ),
  );
}

/** Every coefficient to its best level, input by input; whether a code changed. */
async function roundOnce(state: RoundingState): Promise<boolean> {
  const { values, products, correlations, atomGram } = state;
  const { rows: inputs, columns: count } = values;
  const image = await gemm(values, atomGram);
  let isMoved = false;
  for (let start = 0; start < inputs; start += BLOCK) {
    const end = Math.min(inputs, start + BLOCK);
    const left = rowsOf(products, start, end);
    const errors = { ...left, data: left.data.slice() };
    await gemm(rowsOf(correlations, start, end), image, { alpha: -1, beta: 1, output: errors });
    for (let input = start; input < end; input++) {
      const own = errors.data.subarray((input - start) * count, (input - start + 1) * count);
      const before = own.slice();
      for (let pass = 0; pass < PASSES; pass++) {
        if (!roundInput(state, input, own)) break;
        isMoved = true;
      }
      // What the errors of this input went down by is A times the change, times R at this input.
      const curvature = correlations.data[input * (inputs + 1)]!;
      for (let other = input + 1; other < end; other++) {
        const share = correlations.data[other * inputs + input]! / curvature;
        const row = (other - start) * count;
        for (let atom = 0; atom < count; atom++) errors.data[row + atom]! += share * (own[atom]! - before[atom]!);
      }
    }
    await gemm(rowsOf(values, start, end), atomGram, { output: rowsOf(image, start, end) });
  }
  return isMoved;
}

/** The same for one input, whose errors A (Y - A^T C) R are kept up to date. */
function roundInput(
  { values, codes, scales, roots, grid, atomGram, correlations }: RoundingState,
  input: number,
  errors: Float64Array,
): boolean {
  const count = values.columns;
  const root = roots[input]!;
  const spread = correlations.data[input * (correlations.columns + 1)]!;
  let isMoved = false;
  for (let atom = 0, index = input * count; atom < count; atom++, index++) {
    if (codes[index] === UNUSED) continue;
    const curvature = atomGram.data[atom * (count + 1)]! * spread;
    const unit = scales[atom]! * root;
    const nearest = (values.data[index]! + errors[atom]! / curvature) / unit;
    const code = curvature > 0 && unit > 0 ? toCode(nearest, grid) : codes[index]!;
    const value = unit * levelOf(code, grid);
    const change = spread * (value - values.data[index]!);
    codes[index] = code;
    if (change === 0) continue;
    isMoved = true;
    values.data[index] = value;
    const row = atom * count;
    for (let other = 0; other < count; other++) errors[other]! -= change * atomGram.data[row + other]!;
  }
  return isMoved;
}

/** The scales that fit the codes, all together, where they leave less; whether they do. */
async function fitScales({ values, codes, scales, roots, grid, ...system }: RoundingState): Promise<boolean> {
  const { rows: inputs, columns: count } = values;
  const units = { rows: inputs, columns: count, data: new Float64Array(inputs * count) };
  for (let index = 0; index < codes.length; index++) {
    if (codes[index] !== UNUSED) units.data[index] = levelOf(codes[index]!, grid) * roots[Math.floor(index / count)]!;
  }
  // The objective is s M s - 2 v s and what does not depend on the scales s.
  const metric = await gemm(units, await gemm(system.correlations, units), { transposeA: true });
  const pull = new Float64Array(count);
  let trace = 0;
  for (let index = 0; index < metric.data.length; index++) metric.data[index]! *= system.atomGram.data[index]!;
  for (let atom = 0; atom < count; atom++) trace += metric.data[atom * (count + 1)]!;
  for (let index = 0; index < units.data.length; index++) {
    pull[index % count]! += units.data[index]! * system.products.data[index]!;
  }
  if (!(trace > 0)) return false;
  const inverse = await shiftedInverse(metric, (SCALE_RIDGE * trace) / count);
  const { data: fitted } = await gemm(inverse, { rows: count, columns: 1, data: pull });
  const rounded = fitted.map((value, atom) => {
    const scale = toScale(value);
    return scale > 0 ? scale : scales[atom]!;
  });
  if (!(objectiveOf(rounded, metric, pull) < objectiveOf(scales, metric, pull))) return false;
  scales.set(rounded);
  for (let index = 0; index < codes.length; index++) values.data[index] = scales[index % count]! * units.data[index]!;
  return true;
}

function objectiveOf(scales: Float64Array, metric: Matrix<Float64Array>, pull: Float64Array): number {
  const count = scales.length;
  let sum = 0;
  for (let atom = 0; atom < count; atom++) {
    let image = -2 * pull[atom]!;
    for (let other = 0; other < count; other++) image += metric.data[atom * count + other]! * scales[other]!;
    sum += image * scales[atom]!;
  }
  return sum;
}

function rowsOf({ columns, data }: Matrix<Float64Array>, start: number, end: number): Matrix<Float64Array> {
  return { rows: end - start, columns, data: data.subarray(start * columns, end * columns) };
}

function transposeCodes(codes: Int16Array, rows: number, columns: number): Int16Array {
  const turned = new Int16Array(codes.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) turned[column * rows + row] = codes[row * columns + column]!;
  }
  return turned;
}
