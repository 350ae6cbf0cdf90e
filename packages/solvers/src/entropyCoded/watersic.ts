import type { InputStatistics, QuantizedWeight } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import type { z } from 'zod';
import { checkStatistics } from '../checkStatistics.ts';
import { checkWeight } from '../checkWeight.ts';
import { parseOptions } from '../parseOptions.ts';
import { scalesTooLarge } from '../quantization/scalesTooLarge.ts';
import { withoutInputs } from '../quantization/withoutInputs.ts';
import { sampleRows } from '../sampleRows.ts';
import { deadZoneAt } from './deadZoneAt.ts';
import { findStep } from './findStep.ts';
import { fitRescalers } from './fitRescalers.ts';
import { quantizeOnSteps, type StepGrid, type SteppedCodes } from './quantizeOnSteps.ts';
import { rootMeanSquare } from './rootMeanSquare.ts';
import { roundRowScales } from './roundRowScales.ts';
import { stepProblem } from './stepProblem.ts';
import { storedRate } from './storedRate.ts';
import { type WatersicOptions, watersicOptions } from './watersicOptions.ts';
import { leastStep, type SteppedWeight, widenSteps } from './widenSteps.ts';

/** One of the sites that read an input. */
export interface WatersicSite {
  /** `[outFeatures, inFeatures]`. */
  readonly weight: Matrix<Float32Array>;
  readonly options: WatersicOptions;
}

type Settings = z.output<typeof watersicOptions>;

/** Rows that stand for a weight while its step is sought. */
const SAMPLED_ROWS = 256;
/** Bits by which a sample may mislead before its weight is quantised once more. */
const SAMPLE_MISS = 0.003;
/** A 4-bit container is tried when at most this share of the codes has to be clipped ... */
const MOST_CLIPPED = 0.01;
/** ... and taken when clipping raises the loss by no more than this factor. */
const CLIPPING_LOSS = 1.005;

/**
 * WaterSIC: GPTQ's recursion on an unbounded grid whose codes are meant for an entropy coder; every site is quantised with the
 * step at which it takes `bits` stored bits a weight.
 *
 * Objective: tr((W - Q) H (W - Q)^T) for the damped Hessian H at a given code length. The recursion loses
 * sum_i (error_i / U_ii)^2 with H^-1 = U^T U, so steps are proportional to U_ii: every input then costs the same (reverse
 * waterfilling). A dead zone trades zeros for error at low rates; row scales and steps are then refitted to the codes.
 * Source: arXiv:2603.04956. Differs from it: codes are counted under the coder's own family of distributions, not their
 * empirical entropy; row scales keep only the digits that pay.
 * Codes take 8 bits at most: where that binds, above 5 bits or so, steps are wider and the rate stays below `bits`.
 * All sites read the same input and get the same `inputScale`, which can fold into what gives the input. One scale an output; codes
 * in 4 bits where they fit, clipped inside the recursion, else 8. Inputs stay as they are; weights of dead inputs become 0.
 * Errors: INVALID_OPTION, INVALID_SHAPE, NON_FINITE_WEIGHT, NON_FINITE_ACTIVATION, SOLVER_FAILED, NOT_POSITIVE_DEFINITE.
 * Cost: that of GPTQ, at most six times more on 256 rows, and that of fitRescalers.
 */
export async function watersic(
  sites: readonly WatersicSite[],
  statistics: InputStatistics | null,
): Promise<QuantizedWeight[]> {
  const inFeatures = sites[0]!.weight.columns;
  const settings = sites.map(site => parseOptions(watersicOptions, site.options, 'watersic'));
  for (const { weight } of sites) checkWeight(weight);
  const checked = checkStatistics(statistics, inFeatures);
  const problem = await stepProblem(checked, settings[0]!.dampingFraction);
  const { blocks, hessian, dead, targetOf } = problem;
  const targets: (SteppedWeight & { readonly settings: Settings })[] = [];
  for (const [index, site] of sites.entries()) {
    const weight = withoutInputs(await targetOf(site.weight), dead);
    targets.push({ weight, step: guessStep(weight, settings[index]!.bits), settings: settings[index]! });
  }
  const steps = widenSteps(targets, problem.steps);
  const coded: (Quantized & { readonly weight: Matrix<Float32Array> })[] = [];
  for (const target of targets) coded.push({ weight: target.weight, ...(await quantize(target, { blocks, steps })) });
  const fitted = await fitRescalers(
    coded.map(({ weight, codes, bits }) => ({ target: weight, codes: centred(codes, weight, bits) })),
    hessian,
    { rowScales: coded.map(({ weight, step }) => new Float64Array(weight.rows).fill(step)), steps },
  );
  const inputScale = Float32Array.from(fitted.steps, Math.f16round);
  const scales = coded.map((_, index) => roundRowScales(fitted.rowScales[index]!, settings[index]!.bits));
  if (!scales.every(own => own.every(Number.isFinite))) throw scalesTooLarge();
  return coded.map(({ weight, codes, bits }, index) => ({
    kind: 'quantized',
    outFeatures: weight.rows,
    inFeatures,
    bits,
    groupSize: inFeatures,
    codes,
    scales: scales[index]!,
    scaleType: 'float16',
    zeroPoints: null,
    inputScale,
  }));
}

interface Quantized extends SteppedCodes {
  readonly bits: 4 | 8;
  /** Times the shape of the steps. */
  readonly step: number;
}

/** Finds a site's step and quantises all of it. */
async function quantize(
  { weight, step: guess, settings }: SteppedWeight & { readonly settings: Settings },
  grid: Pick<StepGrid, 'blocks' | 'steps'>,
): Promise<Quantized> {
  const { bits: target } = settings;
  const deadZone = settings.deadZone ?? deadZoneAt(target);
  const run = (matrix: Matrix<Float32Array>, step: number, bits: 4 | 8): Promise<SteppedCodes> =>
    quantizeOnSteps(matrix, { ...grid, steps: grid.steps.map(own => own * step), bits, deadZone });
  const shape = { outFeatures: weight.rows, inFeatures: weight.columns };
  const rateOf = ({ codes }: SteppedCodes): number => storedRate({ codes, bits: 8, ...shape }, settings);
  const sample = sampleRows(weight, SAMPLED_ROWS);
  if (guess === 0) return { ...(await run(weight, 1, 4)), bits: 4, step: 1 };
  const least = leastStep(weight, grid.steps);
  let step = await findStep(target, guess, async step => rateOf(await run(sample, step, 8)), least);
  let wide = await run(weight, step, 8);
  const better = sample === weight ? step : Math.max(least, step * 2 ** (rateOf(wide) - target));
  if (Math.abs(Math.log2(better / step)) > SAMPLE_MISS) {
    step = better;
    wide = await run(weight, step, 8);
  }
  const clipped = countBeyond(wide.codes) / wide.codes.length;
  if (clipped <= MOST_CLIPPED) {
    const narrow = await run(weight, step, 4);
    if (narrow.loss <= CLIPPING_LOSS * wide.loss) return { ...narrow, bits: 4, step };
  }
  return { ...wide, bits: 8, step };
}

/** The step of a Gaussian weight with independent inputs at this rate, about; 0 for a weight of zeros. */
function guessStep(weight: Matrix<Float32Array>, bits: number): number {
  return rootMeanSquare(weight) * 2 ** (2.05 - bits);
}

/** Codes of 8 bits that 4 bits do not hold. */
function countBeyond(codes: Uint8Array): number {
  let count = 0;
  for (let at = 0; at < codes.length; at++) if (codes[at]! < 120 || codes[at]! > 135) count++;
  return count;
}

function centred(codes: Uint8Array, { rows, columns }: Matrix, bits: 4 | 8): Matrix<Float64Array> {
  const middle = 2 ** (bits - 1);
  const data = new Float64Array(codes.length);
  for (let at = 0; at < codes.length; at++) data[at] = codes[at]! - middle;
  return { rows, columns, data };
}
