import { type ColumnQuantizer, createColumnQuantizer, type Matrix } from '@quern/linalg';
import { carryToRest } from '../quantization/carryToRest.ts';
import type { FactorBlock } from '../quantization/cutFactor.ts';
import { loadColumns, storeCodes } from '../quantization/outputPanel.ts';

/** Outputs treated together: their columns stay in the third cache while errors are carried through them. */
const PANEL_OUTPUTS = 512;

/** The problem that sites with one input have in common. */
export interface StepGrid {
  /** The upper factor U of the inverse Hessian, in blocks, inputs in their own order. */
  readonly blocks: readonly FactorBlock[];
  /** Step of every input, `[inFeatures]`, above 0. */
  readonly steps: Float64Array;
  /** Codes beyond -2^(bits-1) .. 2^(bits-1) - 1 are clipped, and the error is carried on. */
  readonly bits: 4 | 8;
  /** Positions move so far towards 0 before they are rounded, 0 to 1/2 of a step. */
  readonly deadZone: number;
}

/** Integer codes of a weight and what they lose. */
export interface SteppedCodes {
  /** `[outFeatures, inFeatures]`, 0 .. 2^bits - 1, the middle is zero. */
  readonly codes: Uint8Array;
  /** Sum of (error_i / U_ii)^2: tr((W - Q) H (W - Q)^T) for the damped Hessian H. */
  readonly loss: number;
}

/**
 * GPTQ's recursion on a grid with one step per input and no scale per output.
 *
 * Objective: tr((W - Q) H (W - Q)^T), greedily, column by column, Q = (codes - 2^(bits-1)) diag(steps).
 * Source: arXiv:2210.17323, algorithm 1; steps per input as in arXiv:2603.04956.
 * `weight` `[outFeatures, inFeatures]` stays as it is. Outputs are independent of each other: any subset gives the same codes.
 * Cost: inFeatures^2 outFeatures / 2 multiply-adds; scratch 9 bytes for each of inFeatures x 512 outputs.
 */
export async function quantizeOnSteps(weight: Matrix<Float32Array>, grid: StepGrid): Promise<SteppedCodes> {
  const codes = new Uint8Array(weight.data.length);
  const order = Uint32Array.from({ length: weight.columns }, (_, input) => input);
  const panelCount = Math.ceil(weight.rows / PANEL_OUTPUTS);
  const panelOutputs = Math.ceil(weight.rows / panelCount);
  const widest = Math.max(...grid.blocks.map(block => block.end - block.start));
  const quantizer = createColumnQuantizer(weight.columns, panelOutputs, widest);
  quantizer.zeroPoints.fill(2 ** (grid.bits - 1));
  let loss = 0;
  for (let start = 0; start < weight.rows; start += panelOutputs) {
    const end = Math.min(start + panelOutputs, weight.rows);
    quantizer.columns.fill(0); // what stands past the last output counts as error
    loadColumns(weight, start, end, order, quantizer);
    loss += await quantizePanel(grid, quantizer);
    storeCodes(quantizer, start, end, order, codes);
  }
  return { codes, loss };
}

async function quantizePanel({ blocks, steps, bits, deadZone }: StepGrid, quantizer: ColumnQuantizer): Promise<number> {
  const { scales, errors, factor, outputStride } = quantizer;
  let loss = 0;
  for (const block of blocks) {
    const count = block.end - block.start;
    factor.set(block.within.data);
    for (let column = 0; column < count; column++) {
      scales.fill(steps[block.start + column]!, column * outputStride, (column + 1) * outputStride);
    }
    quantizer.quantize(block.start, count, 0, count, bits, deadZone);
    for (let index = 0; index < count * outputStride; index++) loss += errors[index]! * errors[index]!;
    await carryToRest(block, quantizer);
  }
  return loss;
}
