import type { CompressedWeight, Convergence } from '@quern/core';

const DIGITS = 4;

/** How a site's solver came to its result, in figures of four digits; null for solvers that do not go by sweeps. */
export function convergenceReport(compressed: CompressedWeight): Convergence | null {
  if (compressed.kind !== 'lowRank' || compressed.convergence === undefined) return null;
  const { objectives, stoppedBy } = compressed.convergence;
  return { objectives: objectives.map(value => Number(value.toPrecision(DIGITS))), stoppedBy };
}
