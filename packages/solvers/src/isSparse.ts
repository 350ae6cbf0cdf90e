import type { Solver } from './solver.ts';

/**
 * Whether a method gives factors with zeros. Its `storageBits` counts a bit for each place, as packed forms store them; containers hold the
 * zeros and are wider.
 */
export function isSparse(solver: Solver): boolean {
  return solver.optionsSchema.shape.atomsPerNonzero !== undefined;
}
