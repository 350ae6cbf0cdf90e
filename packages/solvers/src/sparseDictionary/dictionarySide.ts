import type { LowRankWeight } from '@quern/core';
import type { SiteShape } from '../solver.ts';
import type { DictionarySize } from './dictionarySize.ts';
import type { LearntCode } from './learntCode.ts';

/** A code of all sites, and how it is stored. */
export interface SideCode extends Pick<LearntCode, 'objectives'> {
  /** One weight a site. Errors: SOLVER_FAILED for values above 65504. */
  readonly store: () => Promise<LowRankWeight[]>;
}

/** A stack of sites with atoms on one of its sides. */
export interface DictionarySide {
  /** As dictionarySize takes it: atoms as long as its inputs. */
  readonly shape: SiteShape;
  readonly learn: (size: DictionarySize, sweeps: number) => Promise<SideCode>;
}
