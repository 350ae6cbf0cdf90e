import { cholesky, gemm, type Matrix, solveTriangular } from '@quern/linalg';

/** A weight with its codes; sites that read the same input are fitted together. */
export interface CodedSite {
  /** What the codes stand for, `[outFeatures, inFeatures]`. */
  readonly target: Matrix<Float32Array>;
  /** Centred codes as numbers, `[outFeatures, inFeatures]`. */
  readonly codes: Matrix<Float64Array>;
}

/** W ~ diag(rowScales) codes diag(steps). */
export interface Rescalers {
  /** One array for each site, `[outFeatures]`. */
  readonly rowScales: readonly Float64Array[];
  /** Common to all sites, `[inFeatures]`. */
  readonly steps: Float64Array;
}

/** Rounds of row scales and steps; what the third changes is below the tenth of a percent. */
const ROUNDS = 2;
/** Keeps the fit of steps to where codes are scarce near what it was, share of the mean diagonal. */
const STEP_RIDGE = 1e-3;

/**
 * Row scales and steps that fit codes to their weights by least squares, by turns; codes stay as they are.
 *
 * Objective: sum over sites of tr(E H E^T), E = W - diag(r) C diag(s). Given s, r_n = (c_n H w_n) / (c_n H c_n) with c_n scaled by
 * s; given all r, s solves (H o sum C^T diag(r^2) C) s = diag of sum (H W^T diag(r) C). No turn raises it.
 * Source: arXiv:2603.04956, row and column rescalers; the column ones joint over sites, so that they can fold into what gives the input.
 * `hessian` `[inFeatures, inFeatures]`, symmetric. Rows without codes get scale 0.
 * Cost: for each round 3 outFeatures inFeatures^2 and inFeatures^3 / 4 multiply-adds in float64; scratch 8 bytes for each of
 * 3 outFeatures inFeatures and 3 inFeatures^2.
 */
export async function fitRescalers(
  sites: readonly CodedSite[],
  hessian: Matrix<Float64Array>,
  start: Rescalers,
): Promise<Rescalers> {
  let { rowScales, steps } = start;
  const targets: Matrix<Float64Array>[] = [];
  for (const { target } of sites) targets.push(await gemm(doubled(target), hessian));
  for (let round = 0; round < ROUNDS; round++) {
    rowScales = await fitRows(sites, targets, hessian, steps);
    steps = (await fitSteps(sites, targets, hessian, { rowScales, steps })) ?? steps;
  }
  return { rowScales: await fitRows(sites, targets, hessian, steps), steps };
}

async function fitRows(
  sites: readonly CodedSite[],
  targets: readonly Matrix<Float64Array>[],
  hessian: Matrix<Float64Array>,
  steps: Float64Array,
): Promise<Float64Array[]> {
  const fitted: Float64Array[] = [];
  for (const [index, { codes }] of sites.entries()) {
    const scaled = scaleColumns(codes, steps);
    const products = await gemm(scaled, hessian);
    const energies = rowDots(products, scaled);
    const overlaps = rowDots(targets[index]!, scaled);
    fitted.push(overlaps.map((overlap, row) => (energies[row]! > 0 ? overlap / energies[row]! : 0)));
  }
  return fitted;
}

/** Null where the codes do not determine the steps. */
async function fitSteps(
  sites: readonly CodedSite[],
  targets: readonly Matrix<Float64Array>[],
  hessian: Matrix<Float64Array>,
  { rowScales, steps }: Rescalers,
): Promise<Float64Array | null> {
  const n = hessian.rows;
  const normal: Matrix<Float64Array> = { rows: n, columns: n, data: new Float64Array(n * n) };
  const right = new Float64Array(n);
  for (const [index, { codes }] of sites.entries()) {
    const scaled = scaleRows(codes, rowScales[index]!);
    await gemm(scaled, scaled, { transposeA: true, beta: 1, output: normal });
    const target = targets[index]!.data;
    for (let at = 0; at < target.length; at++) right[at % n]! += target[at]! * scaled.data[at]!;
  }
  let diagonal = 0;
  for (let index = 0; index < normal.data.length; index++) normal.data[index]! *= hessian.data[index]!;
  for (let input = 0; input < n; input++) diagonal += normal.data[input * n + input]! * steps[input]! ** 2;
  // The ridge is measured in steps, so that it means the same at every input.
  for (let input = 0; input < n; input++) {
    const ridge = (STEP_RIDGE * diagonal) / n / steps[input]! ** 2;
    normal.data[input * n + input]! += ridge;
    right[input]! += ridge * steps[input]!;
  }
  const factor = await cholesky(normal, 'upper');
  if (factor.matrix === null) return null;
  const half = await solveTriangular(factor.matrix, column(right), { triangle: 'upper', transposed: true });
  const { data } = await solveTriangular(factor.matrix, half, { triangle: 'upper' });
  return data.every(step => step > 0) ? data : null;
}

function column(data: Float64Array): Matrix<Float64Array> {
  return { rows: data.length, columns: 1, data };
}

function doubled(matrix: Matrix<Float32Array>): Matrix<Float64Array> {
  return { ...matrix, data: Float64Array.from(matrix.data) };
}

function scaleColumns({ rows, columns, data }: Matrix<Float64Array>, factors: Float64Array): Matrix<Float64Array> {
  const scaled = new Float64Array(data.length);
  for (let at = 0; at < data.length; at++) scaled[at] = data[at]! * factors[at % columns]!;
  return { rows, columns, data: scaled };
}

function scaleRows({ rows, columns, data }: Matrix<Float64Array>, factors: Float64Array): Matrix<Float64Array> {
  const scaled = new Float64Array(data.length);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, at++) scaled[at] = data[at]! * factors[row]!;
  }
  return { rows, columns, data: scaled };
}

function rowDots(left: Matrix<Float64Array>, right: Matrix<Float64Array>): Float64Array {
  const dots = new Float64Array(left.rows);
  for (let row = 0, at = 0; row < left.rows; row++) {
    let sum = 0;
    for (let column = 0; column < left.columns; column++, at++) sum += left.data[at]! * right.data[at]!;
    dots[row] = sum;
  }
  return dots;
}
