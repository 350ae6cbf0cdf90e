import { CompressionError, codebookStorageBits } from '@quern/core';
import type { SiteShape } from '../solver.ts';
import type { AqlmSettings } from './aqlmOptions.ts';

/** How codes are made up. */
export interface CodebookFormat {
  /** Inputs that one code word covers. */
  readonly groupSize: number;
  readonly codebookCount: number;
  readonly codebookBits: number;
}

/**
 * What the output error falls by, in bits per weight, for each bit by which a code is wider than `bits`, and for each doubling of the
 * codebooks. Measured on weights of the demo model at 2 to 4 bits; see chooseFormat.
 */
const GAIN_PER_BIT = 0.045;
const GAIN_PER_DOUBLING = 0.03;

/** Beyond it the search takes long, and codebooks seldom pay. */
const WIDEST_CHOSEN = 12;
const LARGEST_GROUP = 16;

/**
 * The format of a weight of this shape: the one that was asked for, or among those with `bits` bits of code a weight the one whose gain
 * exceeds by most what its codebooks take. For small weights those are short groups: a codebook of 2 x 8 bits over groups of 8 takes
 * 65536 bits, 4 for each weight of 128 x 128.
 *
 * Errors: INVALID_OPTION for settings that no format has, or whose parts contradict each other.
 */
export function chooseFormat({ outFeatures, inFeatures }: SiteShape, settings: AqlmSettings): CodebookFormat {
  const { bits, group, codebooks, codebookBits } = settings;
  let best: CodebookFormat | null = null;
  let most = Number.NEGATIVE_INFINITY;
  for (let groupSize = group ?? 1; groupSize <= (group ?? LARGEST_GROUP); groupSize++) {
    const total = bits * groupSize;
    if (Math.abs(total - Math.round(total)) > 1e-9) continue;
    for (let count = codebooks ?? 1; count <= (codebooks ?? 16); count++) {
      const width = Math.round(total) / count;
      if (!Number.isInteger(width) || width < 1 || width > (codebookBits ?? WIDEST_CHOSEN)) continue;
      if (codebookBits !== undefined && width !== codebookBits) continue;
      const words = (16 * count * 2 ** width * groupSize) / (outFeatures * inFeatures);
      const gain = GAIN_PER_BIT * (width - bits) + GAIN_PER_DOUBLING * Math.log2(count) - words;
      if (gain <= most) continue;
      most = gain;
      best = { groupSize, codebookCount: count, codebookBits: width };
    }
  }
  if (best) return best;
  const asked = Object.entries({ bits, group, codebooks, codebookBits }).filter(([, value]) => value !== undefined);
  const text = asked.map(([name, value]) => `${name} ${value}`).join(', ');
  throw new CompressionError(
    'INVALID_OPTION',
    `Invalid options of aqlm: no codes have ${text}: bits is codebooks * codebookBits / group, such as 2 * 8 / 8, a code has 1 to 16 bits (to 12 unless codebookBits says so), a group 1 to 16 inputs.`,
    { ...settings },
  );
}

/** Bits that a weight of this shape takes. Errors: those of chooseFormat. */
export function aqlmStorageBits({ outFeatures, inFeatures }: SiteShape, settings: AqlmSettings): number {
  const format = chooseFormat({ outFeatures, inFeatures }, settings);
  return codebookStorageBits({ outFeatures, inFeatures, ...format });
}
