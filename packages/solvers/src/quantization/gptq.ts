import type { InputStatistics, QuantizedWeight } from '@quern/core';
import { type ColumnQuantizer, createColumnQuantizer, type Matrix } from '@quern/linalg';
import type { z } from 'zod';
import { checkStatistics } from '../checkStatistics.ts';
import { checkWeight } from '../checkWeight.ts';
import { parseOptions } from '../parseOptions.ts';
import { carryToRest } from './carryToRest.ts';
import { chooseColumnGrids } from './chooseColumnGrids.ts';
import { chooseRowGrids } from './chooseRowGrids.ts';
import { cutFactor, type FactorBlock } from './cutFactor.ts';
import { dampedHessian, inverseFactor } from './dampedHessian.ts';
import { type GptqOptions, gptqOptions } from './gptqOptions.ts';
import type { GridRule } from './grid.ts';
import { createGroupGrids, type GroupGrids } from './groupGrids.ts';
import { loadGrids } from './loadGrids.ts';
import { loadColumns, storeCodes } from './outputPanel.ts';
import { resolveGroupSize } from './resolveGroupSize.ts';
import { scalesTooLarge } from './scalesTooLarge.ts';
import { withoutInputs } from './withoutInputs.ts';

/** Outputs treated together: their columns stay in the third cache while errors are carried through them. */
const PANEL_OUTPUTS = 512;

/**
 * GPTQ: quantises one input column after the other and moves the later columns so as to make up for each rounding error.
 *
 * Objective: ||(W - Q) X||_F^2 for the calibration inputs X, greedily, column by column.
 * Source: Frantar et al., GPTQ, arXiv:2210.17323, algorithm 1; act-order and static groups are those of the reference code.
 * Differs from it: float64 throughout; U comes straight from the Hessian, without its inverse; group grids never depend on
 * blockSize; damping and dead inputs (see dampedHessian) do not depend on the Gram's scale; no retry with more damping.
 * `weight` `[outFeatures, inFeatures]` and `statistics.inputGram` `[inFeatures, inFeatures]` stay as they are. Weights of dead
 * inputs become 0.
 * Errors: INVALID_OPTION, INVALID_SHAPE, NON_FINITE_WEIGHT, NON_FINITE_ACTIVATION, SOLVER_FAILED, NOT_POSITIVE_DEFINITE.
 * Cost: inFeatures^2 outFeatures / 2 multiply-adds for the errors, inFeatures^3 / 2 for U; scratch 9 bytes for each of
 * inFeatures x 512 outputs and 8 inFeatures^2 bytes (16 without OpenBLAS).
 */
export async function gptq(
  weight: Matrix<Float32Array>,
  statistics: InputStatistics | null,
  options: GptqOptions = {},
): Promise<QuantizedWeight> {
  const settings = parseOptions(gptqOptions, options, 'gptq');
  const groupSize = resolveGroupSize(settings.groupSize, weight.columns);
  checkWeight(weight);
  const checked = checkStatistics(statistics, weight.columns);
  const { order, dead, blocks } = await factorBlocks(checked, settings, groupSize);
  const problem: Problem = { weight: withoutInputs(weight, dead), blocks, order, settings, groupSize };
  const result = await solveWith(problem, 'float16');
  if (result) return result;
  if (settings.scaleType === 'float16') throw scalesTooLarge();
  return (await solveWith(problem, 'float32'))!;
}

/** The blocks of U, in the memory of the Hessian. */
async function factorBlocks(
  statistics: InputStatistics,
  { dampingFraction, actOrder, blockSize }: z.output<typeof gptqOptions>,
  groupSize: number,
): Promise<Pick<Problem, 'blocks' | 'order'> & { readonly dead: readonly number[] }> {
  const hessian = dampedHessian(statistics, dampingFraction, actOrder);
  const factor = await inverseFactor(hessian, dampingFraction);
  // Grids that stand before the first column bind no block to a group.
  const blocks = cutFactor(factor, blockSize, actOrder ? 1 : groupSize);
  return { blocks, order: hessian.order, dead: hessian.dead };
}

interface Problem {
  /** Dead inputs are 0 already. */
  readonly weight: Matrix<Float32Array>;
  /** The upper factor U of the inverse Hessian, in processing order. */
  readonly blocks: readonly FactorBlock[];
  readonly order: Uint32Array;
  readonly settings: z.output<typeof gptqOptions>;
  readonly groupSize: number;
}

/** Null when a scale does not fit the scale type. */
async function solveWith(problem: Problem, scaleType: 'float16' | 'float32'): Promise<QuantizedWeight | null> {
  const { weight, settings, groupSize } = problem;
  const { bits, symmetric, shrinkSearch, blockSize } = settings;
  const raiseSmallScales = settings.scaleType === 'float16';
  const rule: GridRule = { bits, symmetric, shrinkSearch, scaleType, raiseSmallScales };
  const grids = createGroupGrids(weight.rows, weight.columns, groupSize, rule);
  const codes = new Uint8Array(weight.data.length);
  const panelCount = Math.ceil(weight.rows / PANEL_OUTPUTS);
  const panelOutputs = Math.ceil(weight.rows / panelCount);
  const quantizer = createColumnQuantizer(weight.columns, panelOutputs, Math.min(blockSize, weight.columns));
  for (let start = 0; start < weight.rows; start += panelOutputs) {
    const end = Math.min(start + panelOutputs, weight.rows);
    if (settings.actOrder && !chooseRowGrids(weight, start, end, grids)) return null;
    loadColumns(weight, start, end, problem.order, quantizer);
    if (!(await quantizePanel(problem, grids, start, end, quantizer))) return null;
    storeCodes(quantizer, start, end, problem.order, codes);
  }
  return {
    kind: 'quantized',
    outFeatures: weight.rows,
    inFeatures: weight.columns,
    bits,
    groupSize,
    codes,
    scales: grids.scales,
    scaleType,
    zeroPoints: grids.zeroPoints,
  };
}

/**
 * Algorithm 1 for the outputs [start, end), which are independent of all others. False when a scale does not fit.
 *
 *            inputs, in processing order ->
 *   done   | block: one after the other | rest: gets the block's errors in one product
 */
async function quantizePanel(
  { blocks, order, settings }: Problem,
  grids: GroupGrids,
  start: number,
  end: number,
  quantizer: ColumnQuantizer,
): Promise<boolean> {
  const { bits, actOrder } = settings;
  const { groupSize } = grids;
  for (const block of blocks) {
    const count = block.end - block.start;
    quantizer.factor.set(block.within.data);
    for (let column = block.start, next = 0; column < block.end; column = next) {
      // With act-order all grids stand already; else columns go group by group.
      next = actOrder ? block.end : Math.min(block.end, groupSize * (Math.floor(column / groupSize) + 1));
      const groupStarts = !actOrder && column % groupSize === 0;
      if (groupStarts && !chooseColumnGrids(quantizer, column, start, end, grids)) return false;
      loadGrids(grids, order.subarray(column, next), column - block.start, start, end, quantizer);
      quantizer.quantize(block.start, count, column - block.start, next - block.start, bits);
    }
    await carryToRest(block, quantizer);
  }
  return true;
}
