import type { InputStatistics, QuantizedWeight } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import type { z } from 'zod';
import { checkStatistics } from '../checkStatistics.ts';
import { checkWeight } from '../checkWeight.ts';
import { parseOptions } from '../parseOptions.ts';
import { sampleRows } from '../sampleRows.ts';
import { type AwqOptions, awqOptions } from './awqOptions.ts';
import { clipRanges } from './clipRanges.ts';
import { type CorrelatedInputs, correlatedInputs, outputEnergy } from './correlatedInputs.ts';
import { resolveGroupSize } from './resolveGroupSize.ts';
import { roundToNearest } from './roundToNearest.ts';
import { scalesTooLarge } from './scalesTooLarge.ts';

/** One of the sites that read an input. */
export interface AwqSite {
  /** `[outFeatures, inFeatures]`. */
  readonly weight: Matrix<Float32Array>;
  readonly options: AwqOptions;
}

type Settings = z.output<typeof awqOptions>;

/** Exponents that are tried: 0, 1/20, .. 19/20. */
const EXPONENTS = 20;
/** Rows, evenly spread, on which alpha is chosen. */
const SAMPLED_ROWS = 1024;
/** Inputs are scaled as if they were at least this share of the largest. */
const LEAST_MAGNITUDE = 1e-4;

/**
 * AWQ: inputs that are large get a finer grid. Their weights are multiplied by s = mean|x|^alpha before rounding, and the inputs
 * divided by it; then ranges are clipped where that helps.
 *
 * Objective: the sum over the sites of tr(E G E^T) / tr(W G W^T), E = W - Q(W s) / s, over 20 values of alpha, on at most 1024 rows.
 * Source: Lin et al., AWQ, arXiv:2306.00978, section 3.2; alpha, s / sqrt(max s min s) and the clip search as in the reference code.
 * Differs from it: the error is that of the products with the inputs, from their Gram; the reference runs the module around
 * them. Weights that give queries and keys are clipped like the others: with correlations counted, that lost less on both models
 * it was tried on. Inputs of 0 are scaled like the smallest.
 * All sites read the same input and get the same `inputScale`, 1 / s in float16, which can fold into what gives the input.
 * `statistics` and weights stay as they are.
 * Errors: INVALID_OPTION, INVALID_SHAPE, NON_FINITE_WEIGHT, NON_FINITE_ACTIVATION, SOLVER_FAILED.
 * Cost: 21 products of outFeatures inFeatures^2 multiply-adds a site in single precision, of 1024 inFeatures^2 where it has more
 * outputs, and those of `clipRanges`;
 * scratch 13 bytes a weight and 4 inFeatures^2.
 */
export async function awq(sites: readonly AwqSite[], statistics: InputStatistics | null): Promise<QuantizedWeight[]> {
  const inFeatures = sites[0]!.weight.columns;
  const settings = sites.map(site => parseOptions(awqOptions, site.options, 'awq'));
  for (const { groupSize } of settings) resolveGroupSize(groupSize, inFeatures);
  for (const { weight } of sites) checkWeight(weight);
  const { inputGram, meanAbsolute } = checkStatistics(statistics, inFeatures);
  const inputs = correlatedInputs(inputGram);
  const problems: Problem[] = [];
  for (const [index, site] of sites.entries()) {
    const weight = sampleRows(site.weight, SAMPLED_ROWS);
    const { length } = weight.data;
    const scratch = { scaled: new Float32Array(length), image: new Float32Array(length) };
    const energy = await energyOf(weight, inputs, scratch);
    problems.push({ weight, settings: settings[index]!, energy, scratch });
  }
  let inputScale = new Float32Array(inFeatures).fill(1);
  let leastLoss = Number.POSITIVE_INFINITY;
  for (let step = 0; step < EXPONENTS; step++) {
    const tried = inputScaleOf(meanAbsolute, step / EXPONENTS);
    let loss = 0;
    for (const problem of problems) loss += await lossOf(problem, tried, inputs);
    if (loss >= leastLoss) continue;
    leastLoss = loss;
    inputScale = tried;
  }
  const scaledInputs = { ...inputs, roots: inputs.roots.map((root, input) => root * inputScale[input]!) };
  const results: QuantizedWeight[] = [];
  for (const [index, { weight }] of sites.entries()) {
    const own = settings[index]!;
    const scaled = divideInputs(weight, inputScale);
    const result = own.clip ? await clip(scaled, own, scaledInputs) : round(scaled, own);
    results.push({ ...result, inputScale });
  }
  return results;
}

interface Problem {
  /** Sampled rows. */
  readonly weight: Matrix<Float32Array>;
  readonly settings: Settings;
  /** tr(W G W^T). */
  readonly energy: number;
  readonly scratch: Scratch;
}

/** Two arrays of the size of the sampled rows. */
interface Scratch {
  readonly scaled: Float32Array<ArrayBuffer>;
  readonly image: Float32Array<ArrayBuffer>;
}

/** 1 / s in float16, s = mean|x|^alpha / sqrt(max s min s). */
function inputScaleOf(meanAbsolute: Float64Array, alpha: number): Float32Array<ArrayBuffer> {
  const largest = meanAbsolute.reduce((most, mean) => Math.max(most, mean), 0);
  const powers = meanAbsolute.map(mean => Math.max(mean / largest, LEAST_MAGNITUDE) ** alpha);
  const least = powers.reduce((least, power) => Math.min(least, power), 1);
  return Float32Array.from(powers, power => Math.f16round(Math.sqrt(least) / power));
}

async function lossOf(problem: Problem, inputScale: Float32Array, { roots, correlations }: CorrelatedInputs) {
  const { weight, settings, energy, scratch } = problem;
  const rounded = round(divideInputs(weight, inputScale, scratch.scaled), settings);
  writeErrors(weight, rounded, { inputScale, roots }, scratch.scaled);
  return (await outputEnergy({ ...weight, data: scratch.scaled }, correlations, scratch.image)) / energy;
}

/** Writes (w - inputScale_i scale (code - zeroPoint)) times the root of its input. */
function writeErrors(
  { rows, columns, data }: Matrix<Float32Array>,
  { groupSize, codes, scales, zeroPoints, bits }: QuantizedWeight,
  { inputScale, roots }: { readonly inputScale: Float32Array; readonly roots: Float64Array },
  errors: Float32Array,
): void {
  for (let row = 0, group = 0; row < rows; row++) {
    for (let from = 0; from < columns; from += groupSize, group++) {
      const scale = scales[group]!;
      const zeroPoint = zeroPoints ? zeroPoints[group]! : 2 ** (bits - 1);
      const to = Math.min(from + groupSize, columns);
      for (let input = from, at = row * columns + from; input < to; input++, at++) {
        errors[at] = (data[at]! - inputScale[input]! * scale * (codes[at]! - zeroPoint)) * roots[input]!;
      }
    }
  }
}

async function energyOf(weight: Matrix<Float32Array>, { roots, correlations }: CorrelatedInputs, scratch: Scratch) {
  const inverse = Float32Array.from(roots, root => 1 / root);
  const scaled = divideInputs(weight, inverse, scratch.scaled);
  const energy = await outputEnergy(scaled, correlations, scratch.image);
  return energy > 0 ? energy : 1;
}

function round(weight: Matrix<Float32Array>, { bits, groupSize, symmetric, scaleType }: Settings): QuantizedWeight {
  return roundToNearest(weight, { bits, groupSize, symmetric, scaleType });
}

async function clip(weight: Matrix<Float32Array>, settings: Settings, inputs: CorrelatedInputs) {
  const { bits, symmetric, scaleType } = settings;
  const groupSize = resolveGroupSize(settings.groupSize, weight.columns);
  const rule = { bits, symmetric, shrinkSearch: false, raiseSmallScales: scaleType === 'float16' };
  const result = await clipRanges(weight, inputs, { groupSize, rule: { ...rule, scaleType: 'float16' } });
  if (result) return result;
  if (scaleType === 'float16') throw scalesTooLarge();
  return (await clipRanges(weight, inputs, { groupSize, rule: { ...rule, scaleType: 'float32' } }))!;
}

function divideInputs(
  weight: Matrix<Float32Array>,
  inputScale: Float32Array,
  output = new Float32Array(weight.data.length),
): Matrix<Float32Array> {
  const { rows, columns, data } = weight;
  for (let row = 0, at = 0; row < rows; row++) {
    for (let input = 0; input < columns; input++, at++) output[at] = data[at]! / inputScale[input]!;
  }
  return { rows, columns, data: output };
}
