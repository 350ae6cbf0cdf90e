import type { Matrix } from '@quern/linalg';
import { relativeOutputError, relativeWeightError } from '@quern/solvers';
import type { SiteTask } from './siteTask.ts';

/** Squared relative output error of a solved weight; of the weight where nothing is known of its input. */
export async function squaredError(
  { weight, statistics }: Pick<SiteTask, 'weight' | 'statistics'>,
  solved: Matrix<Float32Array>,
): Promise<number> {
  if (statistics === null) return relativeWeightError(weight, solved) ** 2;
  return (await relativeOutputError(weight, solved, statistics.inputGram)) ** 2;
}
