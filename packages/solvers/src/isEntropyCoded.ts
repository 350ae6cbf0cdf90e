import type { Solver } from './solver.ts';

/** Whether a method's codes are meant for an entropy coder: its bits are a rate, any real number. */
export function isEntropyCoded(solver: Solver): boolean {
  return solver.scalesInput === true && solver.rateCurve !== undefined;
}
