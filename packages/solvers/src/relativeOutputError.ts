import { gemm, type Matrix } from '@quern/linalg';
import { checkSameShape } from './checkSameShape.ts';

/** Outputs treated together: bounds the scratch. */
const PANEL_OUTPUTS = 1024;

/**
 * sqrt(tr(E G E^T) / tr(W G W^T)) with E = W - reconstruction: the relative error of the outputs on the tokens that G sums
 * over, without those tokens. Dimensionless; 0 when the errors reach no input.
 *
 * `weight` and `reconstruction` `[outFeatures, inFeatures]`, `gram` `[inFeatures, inFeatures]`, symmetric; all stay as they are.
 * Errors: INVALID_SHAPE when weight and reconstruction differ.
 * Cost: 2 outFeatures inFeatures^2 multiply-adds in float64; scratch 16 bytes for each of 1024 x inFeatures.
 */
export async function relativeOutputError(
  weight: Matrix<Float32Array>,
  reconstruction: Matrix<Float32Array>,
  gram: Matrix<Float64Array>,
): Promise<number> {
  checkSameShape(weight, reconstruction);
  const error = (index: number): number => weight.data[index]! - reconstruction.data[index]!;
  const errorEnergy = await outputEnergy(weight.rows, gram, error);
  const energy = await outputEnergy(weight.rows, gram, index => weight.data[index]!);
  return errorEnergy <= 0 ? 0 : Math.sqrt(errorEnergy / energy);
}

/** tr(M G M^T) for the matrix M `[rows, inFeatures]` whose elements `value` gives. */
async function outputEnergy(
  rows: number,
  gram: Matrix<Float64Array>,
  value: (index: number) => number,
): Promise<number> {
  const inFeatures = gram.rows;
  let energy = 0;
  for (let start = 0; start < rows; start += PANEL_OUTPUTS) {
    const panelRows = Math.min(PANEL_OUTPUTS, rows - start);
    const data = new Float64Array(panelRows * inFeatures);
    for (let index = 0; index < data.length; index++) data[index] = value(start * inFeatures + index);
    const product = await gemm({ rows: panelRows, columns: inFeatures, data }, gram);
    for (let index = 0; index < data.length; index++) energy += data[index]! * product.data[index]!;
  }
  return energy;
}
