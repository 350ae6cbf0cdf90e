import type { DictionaryFormat } from './dictionaryFormat.ts';
import type { DictionarySide, SideCode } from './dictionarySide.ts';
import { dictionarySize } from './dictionarySize.ts';
import { learnBest } from './learnBest.ts';

/** Atoms per nonzero that are tried where none is given. */
const CANDIDATES: readonly number[] = [1.2, 1.5, 2, 2.4, 2.8, 3.4, 4, 4.8, 5.6];

/** Sweeps of a trial. */
export const TRIAL_SWEEPS = 10;

export interface LearningRequest {
  readonly ratio: number;
  /** Tried where it is undefined. */
  readonly atomsPerNonzero: number | undefined;
  readonly sweeps: number;
  readonly format: DictionaryFormat;
}

/**
 * A code of the size that leaves least over: a few sweeps of each, then all.
 *
 * Errors: INVALID_OPTION for a ratio that cannot be had.
 */
export async function learnAtBest(
  side: DictionarySide,
  { ratio, atomsPerNonzero, sweeps, format }: LearningRequest,
): Promise<SideCode> {
  const sizes = (atomsPerNonzero === undefined ? CANDIDATES : [atomsPerNonzero])
    .map(candidate => dictionarySize(side.shape, { ratio, atomsPerNonzero: candidate, format }))
    // Where there are no more atoms to be had, more for a nonzero are the same.
    .filter((size, index, all) => size.atomCount !== all[index - 1]?.atomCount);
  const tried = sizes.length === 1 ? null : await learnBest(sizes, size => side.learn(size, TRIAL_SWEEPS));
  // Atoms are put to use slowly: the more sweeps, the more atoms are best.
  const next = tried && format.bits === 16 && sweeps > TRIAL_SWEEPS ? sizes[sizes.indexOf(tried.size) + 1] : undefined;
  return side.learn(next ?? tried?.size ?? sizes[0]!, sweeps);
}
