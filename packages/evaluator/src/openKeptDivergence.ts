import { type KeptLogits, readLogits } from './keepLogits.ts';
import { type Divergence, divergenceFrom } from './openDivergence.ts';
import type { ScorerOptions } from './openScorer.ts';

/**
 * `openDivergence` from what was kept of a baseline in a file, in another thread maybe: one window's logits of both models in memory.
 */
export function openKeptDivergence(kept: KeptLogits, options: ScorerOptions): Promise<Divergence> {
  const { windows, dataType } = kept;
  return divergenceFrom({ windows, dataType, read: index => readLogits(kept, index) }, options);
}
