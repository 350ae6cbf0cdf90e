import type { LowRankWeight } from '@quern/core';
import type { DictionaryShape } from './dictionaryShape.ts';
import type { DictionarySize } from './dictionarySize.ts';
import type { LearntCode } from './learntCode.ts';

/** A code of all sites, and how it is stored. */
export interface SideCode extends Pick<LearntCode, 'objectives'> {
  /** One weight a site. Errors: SOLVER_FAILED for values above 65504. */
  readonly store: () => Promise<LowRankWeight[]>;
}

/** A stack of sites with atoms on one of its sides. */
export interface DictionarySide {
  /** Of the stack, or a member of it. */
  readonly shape: DictionaryShape;
  readonly learn: (size: DictionarySize, sweeps: number) => Promise<SideCode>;
}
