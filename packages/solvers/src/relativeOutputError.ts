import { gemm, type Matrix, submatrix } from '@quern/linalg';
import { checkSameShape } from './checkSameShape.ts';

/** Outputs treated together: bounds the scratch. */
const PANEL_OUTPUTS = 512;
/** Rows of the Gram per product: only its upper triangle is multiplied, in steps of this many rows. */
const BLOCK_ROWS = 256;

/**
 * sqrt(tr(E G E^T) / tr(W G W^T)) with E = W - reconstruction: the relative error of the outputs on the tokens that G sums
 * over, without those tokens. Dimensionless; 0 when the errors reach no input.
 *
 * `weight` and `reconstruction` `[outFeatures, inFeatures]`, `gram` `[inFeatures, inFeatures]`, symmetric; all stay as they are.
 * Errors: INVALID_SHAPE when weight and reconstruction differ.
 * Cost: outFeatures inFeatures^2 multiply-adds in float64 (float32 loses all digits where few inputs carry most energy);
 * scratch half a Gram and 8 bytes for each of 512 x inFeatures.
 */
export async function relativeOutputError(
  weight: Matrix<Float32Array>,
  reconstruction: Matrix<Float32Array>,
  gram: Matrix<Float64Array>,
): Promise<number> {
  checkSameShape(weight, reconstruction);
  const blocks = upperBlocks(gram);
  let errorEnergy = 0;
  let energy = 0;
  for (let start = 0; start < weight.rows; start += PANEL_OUTPUTS) {
    const end = Math.min(weight.rows, start + PANEL_OUTPUTS);
    const original = columnsOf(weight, start, end);
    energy += await outputEnergy(original, blocks);
    const error = columnsOf(reconstruction, start, end);
    for (let index = 0; index < error.data.length; index++)
      error.data[index] = original.data[index]! - error.data[index]!;
    errorEnergy += await outputEnergy(error, blocks);
  }
  return errorEnergy <= 0 ? 0 : Math.sqrt(errorEnergy / energy);
}

/** Row blocks of the upper triangle of a symmetric matrix, elements off the diagonal blocks twice. */
function upperBlocks(gram: Matrix<Float64Array>): Matrix<Float64Array>[] {
  const blocks: Matrix<Float64Array>[] = [];
  for (let start = 0; start < gram.rows; start += BLOCK_ROWS) {
    const rows = Math.min(BLOCK_ROWS, gram.rows - start);
    const block = submatrix(gram, start, start, rows, gram.columns - start);
    for (let row = 0; row < rows; row++) {
      for (let column = rows; column < block.columns; column++) block.data[row * block.columns + column]! *= 2;
    }
    blocks.push(block);
  }
  return blocks;
}

/** tr(M^T G M) for M `[inFeatures, outputs]`. */
async function outputEnergy(columns: Matrix<Float64Array>, blocks: readonly Matrix<Float64Array>[]): Promise<number> {
  let energy = 0;
  let at = 0;
  for (const block of blocks) {
    const data = columns.data.subarray(at);
    const product = await gemm(block, { rows: block.columns, columns: columns.columns, data });
    for (let index = 0; index < product.data.length; index++) energy += product.data[index]! * data[index]!;
    at += product.data.length;
  }
  return energy;
}

/** The outputs [start, end) of a weight as columns `[inFeatures, end - start]`, float64. */
function columnsOf(weight: Matrix<Float32Array>, start: number, end: number): Matrix<Float64Array> {
  const tile = 32; // a square of inputs and outputs stays in the first cache
  const count = end - start;
  const data = new Float64Array(weight.columns * count);
  for (let inputStart = 0; inputStart < weight.columns; inputStart += tile) {
    const inputEnd = Math.min(inputStart + tile, weight.columns);
    for (let output = 0; output < count; output++) {
      const row = (start + output) * weight.columns;
      for (let input = inputStart; input < inputEnd; input++) data[input * count + output] = weight.data[row + input]!;
    }
  }
  return { rows: weight.columns, columns: count, data };
}
