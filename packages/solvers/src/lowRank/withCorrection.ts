import type { LowRankWeight } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import { z } from 'zod';
import { checkStatistics } from '../checkStatistics.ts';
import { checkWeight } from '../checkWeight.ts';
import type { SingleSolver, SiteShape } from '../solver.ts';
import { alternateCorrection } from './alternateCorrection.ts';
import { choleskyWhitening } from './choleskyWhitening.ts';
import { chooseRank } from './chooseRank.ts';
import { correctionSettings } from './correctionSettings.ts';
import { dominantFactors } from './dominantFactors.ts';
import { factorStorageBits } from './factorStorageBits.ts';
import type { GridSolver } from './gridSolver.ts';
import { gramMetric, type InputMetric } from './inputMetric.ts';
import { storeFactors } from './storeFactors.ts';
import { toFloat64 } from './toFloat64.ts';

interface RankFormat {
  readonly bits: number;
  readonly groupSize: number;
  readonly rank: number;
}

/** Values of a quantised correction's factors that share one scale. */
const GROUP_SIZE = 32;

const correctionOptions = {
  rank: z.int().min(1).optional().describe('components of the correction; default: the smaller side / 8'),
  correctionBits: z
    .union([z.int().min(2).max(8), z.literal(16)])
    .default(4)
    .describe('bits of the correction: 16 for float16, or a grid'),
  iterations: z.int().min(1).max(50).default(4).describe('rounds of quantising and correcting; the best one is kept'),
};

/**
 * The method `<base>+lowrank`: what `base` makes of a weight, and low rank on what it left over.
 *
 * Objective: ||(W - Q - left right) X||_F for the calibration inputs X. Round 1: Q = base(W), left right = the best approximation of
 * W - Q in the whitened space. Then by turns, beginning with the best approximation of W itself as the correction:
 * Q = base(W - left right), left right = that of W - Q. Taking out what matters most before the grids are chosen finds better
 * solutions than turns that begin with round 1; as rounds may also get worse, the best one is kept.
 * Source: round 1 is QERA, arXiv:2410.06040, and EoRA, arXiv:2410.21271; the turns are CALDERA's, arXiv:2405.18886, algorithm 1, but
 * for where they begin.
 * Options: the base's, and rank, correctionBits, iterations. Errors: the base's, and INVALID_OPTION for a rank above the smaller
 * side. Cost of a round: the base's, that of dominantFactors and outFeatures inFeatures^2 multiply-adds for the error.
 */
export function withCorrection(name: string, base: GridSolver): SingleSolver {
  const { optionsSchema, read } = correctionSettings(name, base, correctionOptions);
  const formatOf = (
    shape: SiteShape,
    { rank, correctionBits }: z.output<z.ZodObject<typeof correctionOptions>>,
  ): RankFormat => {
    const { outFeatures, inFeatures } = shape;
    const defaultRank = Math.max(1, Math.round(Math.min(outFeatures, inFeatures) / 8));
    const format = { bits: correctionBits, groupSize: GROUP_SIZE };
    return { ...format, rank: chooseRank(shape, { ...format, rank: rank ?? defaultRank }) };
  };
  return {
    optionsSchema,
    needs: 'inputGram',
    allocation: null,
    storageBits(shape, options) {
      const { settings, baseOptions } = read(options);
      const format = formatOf(shape, settings);
      return base.storageBits(shape, baseOptions) + factorStorageBits(shape, format.rank, format);
    },
    async solve(weight, statistics, options) {
      const { settings, baseOptions } = read(options);
      checkWeight(weight);
      const checked = checkStatistics(statistics, weight.columns);
      const format = formatOf({ outFeatures: weight.rows, inFeatures: weight.columns }, settings);
      const { inputGram } = checked;
      const metric = gramMetric(inputGram, choleskyWhitening);
      return alternateCorrection({
        weight,
        inputGram,
        quantize: target => base.solve(target, checked, baseOptions),
        correct: remainder => lowRankOf(remainder, metric, inputGram, format),
        iterations: settings.iterations,
      });
    },
  };
}

/** The best low rank for a remainder. */
async function lowRankOf(
  remainder: Matrix<Float32Array>,
  metric: InputMetric,
  gram: Matrix<Float64Array>,
  format: RankFormat,
): Promise<LowRankWeight> {
  const weight = toFloat64(remainder);
  const factors = await dominantFactors(weight, metric, format.rank);
  const stored = await storeFactors({ weight, gram }, factors, format);
  return { kind: 'lowRank', outFeatures: weight.rows, inFeatures: weight.columns, ...stored, sharedRight: null };
}
