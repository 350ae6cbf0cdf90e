import { stackRows } from '../lowRank/stackRows.ts';
import type { NormalEquations } from './fitOnSupport.ts';
import { pursueOrthogonally } from './pursueOrthogonally.ts';
import { splitRows } from './splitRows.ts';

/** {@link pursueOrthogonally} for weights that stand one above the other, `nonzeroCount` nonzeros for each of them. */
export function pursueEach(equations: NormalEquations, siteCount: number, nonzeroCount: number) {
  const parts = splitRows(equations.correlations, siteCount);
  return stackRows(parts.map(correlations => pursueOrthogonally({ ...equations, correlations }, nonzeroCount)));
}
