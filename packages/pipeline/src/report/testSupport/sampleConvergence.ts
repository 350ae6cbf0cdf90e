import type { Convergence } from '@quern/core';

/** Sweeps that fall towards a value as they do in practice: fast, then slowly. */
export function sampleConvergence(stored: number, sweeps: number): Convergence {
  const objectives = Array.from({ length: sweeps + 1 }, (_, sweep) => stored * (1 + 2.2 / (1 + sweep) ** 1.3));
  return { objectives: [...objectives, stored], stoppedBy: sweeps < 60 ? 'tolerance' : 'sweeps' };
}
