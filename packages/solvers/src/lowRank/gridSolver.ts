import type { QuantizedWeight } from '@quern/core';
import type { SingleSolver } from '../solver.ts';

/** A solver whose result is on one grid. */
export interface GridSolver extends SingleSolver {
  readonly solve: (...given: Parameters<SingleSolver['solve']>) => Promise<QuantizedWeight>;
}
