import type { Matrix } from '@quern/linalg';
import { checkStatistics } from '../checkStatistics.ts';
import { checkWeight } from '../checkWeight.ts';
import { choleskyWhitening } from '../lowRank/choleskyWhitening.ts';
import { toFloat64 } from '../lowRank/toFloat64.ts';
import type { StackedSite } from '../solver.ts';
import { energyOf } from './energyOf.ts';
import { equalScales } from './equalScales.ts';
import { scaleRows } from './scaleRows.ts';
import type { SharingSite } from './sharingSite.ts';
import type { WhitenedWeight } from './whitenWeight.ts';

/** Sites as one weight. */
export interface SiteStack {
  /** One for each input, rows scaled: what reads the same input stands one above the other. */
  readonly segments: readonly SharingSite[];
  /** Of the one segment, where several sites read its input; null where rows count as they are. */
  readonly rowScales: Float64Array | null;
}

/**
 * Sites that read the same input, one above the other: one weight with one Gram. Rows of each are scaled so that a squared distance at the
 * outputs is the sum of the sites' relative squared errors, but for a common factor. Sites of several inputs stay apart.
 *
 * Errors: INVALID_SHAPE, NON_FINITE_WEIGHT, NON_FINITE_ACTIVATION, SOLVER_FAILED.
 */
export async function stackSites(sites: readonly StackedSite[]): Promise<SiteStack> {
  for (const { weight } of sites) checkWeight(weight);
  const grams = sites.map(({ weight, statistics }) => checkStatistics(statistics, weight.columns).inputGram);
  const weights = sites.map(({ weight }) => toFloat64(weight));
  if (new Set(sites.map(({ inputName }) => inputName)).size > 1 || sites.length === 1) {
    return { segments: weights.map((weight, index) => ({ weight, gram: grams[index]! })), rowScales: null };
  }
  const gram = grams[0]!;
  const rowScales = await rowScalesOf(weights, gram);
  return { segments: [{ weight: scaleRows(above(weights), rowScales), gram }], rowScales };
}

/** A stack of one segment, whitened by the Cholesky factor of its Gram. Errors: NOT_POSITIVE_DEFINITE. */
export async function whitenStack({ segments, rowScales }: SiteStack): Promise<WhitenedWeight> {
  const [{ weight: scaled, gram }] = segments as [SharingSite];
  const whitening = await choleskyWhitening(gram);
  const weight = rowScales ? scaleRows(scaled, rowScales, 'over') : scaled;
  return { weight, gram, whitening, target: await whitening.apply(scaled), rowScales };
}

async function rowScalesOf(
  weights: readonly Matrix<Float64Array>[],
  gram: Matrix<Float64Array>,
): Promise<Float64Array> {
  const energies: number[] = [];
  for (const weight of weights) energies.push(await energyOf({ weight, gram }));
  const scales = equalScales(energies);
  return Float64Array.from(weights.flatMap(({ rows }, index) => new Array<number>(rows).fill(scales[index]!)));
}

function above(weights: readonly Matrix<Float64Array>[]): Matrix<Float64Array> {
  const rows = weights.reduce((sum, weight) => sum + weight.rows, 0);
  const columns = weights[0]!.columns;
  const data = new Float64Array(rows * columns);
  let next = 0;
  for (const weight of weights) {
    data.set(weight.data, next);
    next += weight.data.length;
  }
  return { rows, columns, data };
}
