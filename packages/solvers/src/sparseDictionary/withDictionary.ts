import { CompressionError } from '@quern/core';
import { z } from 'zod';
import { checkStatistics } from '../checkStatistics.ts';
import { checkWeight } from '../checkWeight.ts';
import { alternateCorrection } from '../lowRank/alternateCorrection.ts';
import { correctionSettings } from '../lowRank/correctionSettings.ts';
import type { GridSolver } from '../lowRank/gridSolver.ts';
import type { SingleSolver, SiteShape, SolverOptions } from '../solver.ts';
import { dictionary } from './dictionary.ts';
import { dictionaryFormat } from './dictionaryFormat.ts';
import { dictionaryOptions } from './dictionaryOptions.ts';
import { dictionaryShape } from './dictionaryShape.ts';
import { dictionaryBitsRange, dictionaryStorageBits } from './dictionarySize.ts';
import type { SideRule } from './sideOf.ts';

const { atomsPerNonzero } = dictionaryOptions.shape;

const correctionOptions = {
  correctionRate: z.number().gt(0).max(8).default(1).describe('bits of the correction for each weight'),
  correctionBits: z
    .union([z.int().min(2).max(8), z.literal(16)])
    .default(4)
    .describe('bits of the dictionary and of a coefficient: 16 for float16, or grids'),
  atomsPerNonzero,
  sweeps: z.int().min(1).max(200).default(20).describe('rounds of coefficients, then atoms, of each dictionary'),
  iterations: z.int().min(1).max(50).default(4).describe('rounds of quantising and correcting; the best one is kept'),
};

/**
 * The method `<base>+dictionary`: what `base` makes of a weight, and a sparse dictionary for what it left over; see alternateCorrection
 * and dictionary.
 *
 * Options: the base's, and correctionRate, correctionBits, atomsPerNonzero, sweeps, iterations. Errors: the base's, those of `dictionary`, and INVALID_OPTION for a
 * rate that a weight's dictionary cannot have.
 * Cost of a round: that of both.
 */
export function withDictionary(name: string, base: GridSolver): SingleSolver {
  const { optionsSchema, read: readAll } = correctionSettings(name, base, correctionOptions);
  const read = (given: SolverOptions) => {
    const { settings, baseOptions } = readAll(given);
    const { correctionRate, correctionBits, iterations } = settings;
    const learning = { ratio: 1 - correctionRate / 16, bits: correctionBits, sweeps: settings.sweeps };
    const atoms = settings.atomsPerNonzero === undefined ? {} : { atomsPerNonzero: settings.atomsPerNonzero };
    return { baseOptions, iterations, correction: { ...learning, ...atoms } };
  };
  return {
    optionsSchema,
    needs: 'inputGram',
    allocation: null,
    storageBits(shape, options) {
      const { baseOptions, correction } = read(options);
      return base.storageBits(shape, baseOptions) + correctionBits(shape, correction);
    },
    solve(weight, statistics, options) {
      const { baseOptions, correction, iterations } = read(options);
      checkWeight(weight);
      correctionBits({ outFeatures: weight.rows, inFeatures: weight.columns }, correction);
      const checked = checkStatistics(statistics, weight.columns);
      return alternateCorrection({
        weight,
        inputGram: checked.inputGram,
        quantize: target => base.solve(target, checked, baseOptions),
        correct: async remainder =>
          (await dictionary([{ weight: remainder, statistics: checked }], correction, sideFor(correction)))[0]!,
        iterations,
      });
    },
  };
}

/** On grids over inputs: of so few atoms the scales and the padding of those over outputs are too large a part. */
function sideFor({ bits }: { readonly bits: number }): SideRule {
  return bits === 16 ? dictionaryShape : shape => shape;
}

function correctionBits(site: SiteShape, { ratio, bits }: { readonly ratio: number; readonly bits: number }): number {
  const shape = sideFor({ bits })(site);
  const format = dictionaryFormat({ bits, groupSize: 'channel' });
  const elements = shape.outFeatures * shape.inFeatures;
  const { least, most } = dictionaryBitsRange(shape, format);
  const rate = 16 * (1 - ratio);
  if (rate * elements >= least && rate * elements <= most) return dictionaryStorageBits(shape, ratio, format);
  const rounded = (bound: number, round: (value: number) => number): number => round((100 * bound) / elements) / 100;
  const limits = `${rounded(least, Math.ceil)}${Number.isFinite(most) ? ` to ${rounded(most, Math.floor)}` : ' or more'}`;
  const size = `[${shape.outFeatures}, ${shape.inFeatures}]`;
  const message = `correctionRate (${rate}): a dictionary of ${bits} bits for ${size} takes ${limits} bits a weight. Choose such a rate, or exclude the site.`;
  throw new CompressionError('INVALID_OPTION', message, { correctionRate: rate, ...site });
}
