import { type CodebookWeight, CompressionError, type InputStatistics } from '@quern/core';
import { createWordSearch, type Matrix } from '@quern/linalg';
import { checkStatistics } from '../checkStatistics.ts';
import { checkWeight } from '../checkWeight.ts';
import { parseOptions } from '../parseOptions.ts';
import { type AqlmOptions, aqlmOptions } from './aqlmOptions.ts';
import { assignCodes } from './assignCodes.ts';
import { chooseFormat } from './codebookFormat.ts';
import { codebookProblem, type Iterate } from './codebookProblem.ts';
import { fitScales } from './fitScales.ts';
import { fitWords } from './fitWords.ts';
import { panelsOf } from './panelsOf.ts';
import { recursionOf } from './recursionOf.ts';
import { refineCodes } from './refineCodes.ts';
import { groupsPerBlock } from './searchGroups.ts';
import { startWords } from './startWords.ts';

/** Sweeps end when one lowers the loss by less than this share. */
const ENOUGH = 0.005;
/** Searches over all codes in a sweep. */
const SEARCHES = 2;
const CONJUGATE_STEPS = 20;

/**
 * AQLM: every group of inputs as a sum of code words, one of each codebook, and a scale for every output.
 *
 * Objective: tr(E H E^T), E = W - W', H the damped Gram.
 * Source: Egiazarian et al., AQLM, arXiv:2401.06118. Differs from it: the first codes come from GPTQ's recursion over groups, which
 * counts on later groups to make up for errors; the beam runs over the codes of one group at a time; words are fitted by conjugate
 * gradients on the Gram and not by Adam; scales and words are rounded to float16 in every sweep, so that what is measured is what is
 * stored; the format follows from the size of the weight (see chooseFormat) unless the options give it.
 * `weight` `[outFeatures, inFeatures]` and `statistics.inputGram` stay as they are. The loss never rises from sweep to sweep.
 * Errors: INVALID_OPTION, INVALID_SHAPE, NON_FINITE_WEIGHT, NON_FINITE_ACTIVATION, SOLVER_FAILED, NOT_POSITIVE_DEFINITE.
 * Cost: about 25 outFeatures inFeatures^2 multiply-adds a sweep in products, and 2 outFeatures inFeatures beam codebookCount
 * 2^codebookBits in the search; scratch 24 inFeatures^2 bytes and 16 KB an input.
 */
export async function aqlm(
  weight: Matrix<Float32Array>,
  statistics: InputStatistics | null,
  options: AqlmOptions = {},
): Promise<CodebookWeight> {
  const settings = parseOptions(aqlmOptions, options, 'aqlm');
  checkWeight(weight);
  const format = chooseFormat({ outFeatures: weight.rows, inFeatures: weight.columns }, settings);
  const checked = checkStatistics(statistics, weight.columns);
  const problem = codebookProblem(weight, checked, format, settings.dampingFraction);
  const { groupCount } = problem;
  const { groupSize, codebookCount, codebookBits } = format;
  const search = createWordSearch({
    rowCapacity: panelsOf(weight.rows)[0]!.end,
    groupCount,
    length: groupSize,
    codebookCount,
    wordCount: 2 ** codebookBits,
    beam: settings.beam,
    slots: groupsPerBlock(groupSize),
  });
  const scales = rootMeanSquares(weight);
  const words = startWords(problem, scales, settings.seed);
  let best: Iterate = { words, scales, codes: new Uint16Array(weight.rows * groupCount * codebookCount) };
  await assignCodes(problem, await recursionOf(problem, settings.dampingFraction), best, search);
  const first = await fitScales(problem, best);
  best = { ...best, scales: first.scales };
  let { loss } = first;
  for (let sweep = 0; sweep < settings.sweeps && loss > 0; sweep++) {
    const words = await fitWords(problem, best, CONJUGATE_STEPS);
    const next = { words, codes: best.codes.slice(), scales: best.scales };
    for (let round = 0; round < SEARCHES; round++) await refineCodes(problem, next, search);
    const fitted = await fitScales(problem, next);
    if (fitted.loss >= loss) break;
    best = { ...next, scales: fitted.scales };
    const isEnough = fitted.loss > (1 - ENOUGH) * loss;
    loss = fitted.loss;
    if (isEnough) break;
  }
  const { codes } = best;
  const stored = { kind: 'codebook', outFeatures: weight.rows, inFeatures: weight.columns, ...format } as const;
  return { ...stored, codebooks: best.words, codes, scales: best.scales };
}

/** The root mean square of every output, in float16: what its row is divided by. */
function rootMeanSquares({ rows, columns, data }: Matrix<Float32Array>): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: rows }, (_, output) => {
    const row = data.subarray(output * columns, (output + 1) * columns);
    const scale = Math.f16round(Math.sqrt(row.reduce((sum, value) => sum + value ** 2, 0) / columns));
    if (Number.isFinite(scale)) return scale;
    const message = `Output ${output} has a root mean square above 65504, the largest float16: exclude this site.`;
    throw new CompressionError('SOLVER_FAILED', message, { output, limit: 65504 });
  });
}
