import { gemm, type Matrix } from '@quern/linalg';
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
  const panelOutputs = Math.min(PANEL_OUTPUTS, weight.rows);
  const original = new Float64Array(weight.columns * panelOutputs);
  const error = new Float64Array(original.length);
  const image = new Float64Array(Math.min(BLOCK_ROWS, weight.columns) * panelOutputs);
  let errorEnergy = 0;
  let energy = 0;
  for (let start = 0; start < weight.rows; start += panelOutputs) {
    const count = Math.min(panelOutputs, weight.rows - start);
    loadColumns(weight, reconstruction, start, count, original, error);
    energy += await outputEnergy(original, count, blocks, image);
    errorEnergy += await outputEnergy(error, count, blocks, image);
  }
  return errorEnergy <= 0 ? 0 : Math.sqrt(errorEnergy / energy);
}

/** Row blocks of the upper triangle of a symmetric matrix, elements off the diagonal blocks twice. */
function upperBlocks({ rows: n, data }: Matrix<Float64Array>): Matrix<Float64Array>[] {
  const blocks: Matrix<Float64Array>[] = [];
  for (let start = 0; start < n; start += BLOCK_ROWS) {
    const rows = Math.min(BLOCK_ROWS, n - start);
    const columns = n - start;
    const block = new Float64Array(rows * columns);
    for (let row = 0; row < rows; row++) {
      const from = (start + row) * n + start;
      const at = row * columns;
      block.set(data.subarray(from, from + columns), at);
      for (let column = rows; column < columns; column++) block[at + column]! *= 2;
    }
    blocks.push({ rows, columns, data: block });
  }
  return blocks;
}

/** tr(M^T G M) for M `[inFeatures, count]`; `image` receives one block's rows of G M after the other. */
async function outputEnergy(
  columns: Float64Array,
  count: number,
  blocks: readonly Matrix<Float64Array>[],
  image: Float64Array,
): Promise<number> {
  let energy = 0;
  let at = 0;
  for (const block of blocks) {
    const data = columns.subarray(at, at + block.columns * count);
    const product = image.subarray(0, block.rows * count);
    const output = { rows: block.rows, columns: count, data: product };
    await gemm(block, { rows: block.columns, columns: count, data }, { output });
    for (let index = 0; index < product.length; index++) energy += product[index]! * data[index]!;
    at += product.length;
  }
  return energy;
}

/** Outputs [start, start + count) of the weight, and of what the reconstruction lacks, as columns `[inFeatures, count]`. */
function loadColumns(
  weight: Matrix<Float32Array>,
  reconstruction: Matrix<Float32Array>,
  start: number,
  count: number,
  original: Float64Array,
  error: Float64Array,
): void {
  const tile = 16; // outputs fill whole cache lines: their columns lie a power of two apart, where lines push each other out
  const inFeatures = weight.columns;
  const [from, approximate] = [weight.data, reconstruction.data];
  for (let outputStart = 0; outputStart < count; outputStart += tile) {
    const outputEnd = Math.min(outputStart + tile, count);
    for (let inputStart = 0; inputStart < inFeatures; inputStart += tile) {
      const inputEnd = Math.min(inputStart + tile, inFeatures);
      for (let input = inputStart; input < inputEnd; input++) {
        for (let output = outputStart; output < outputEnd; output++) {
          const value = from[(start + output) * inFeatures + input]!;
          original[input * count + output] = value;
          error[input * count + output] = value - approximate[(start + output) * inFeatures + input]!;
        }
      }
    }
  }
}
