import type { LowRankWeight } from '@quern/core';
import { sharedFactorName } from '../lowRank/sharedFactorName.ts';

/** The weights of a stack's sites: the dictionary in common, of the coefficients the rows of each. One alone stays as it is. */
export function splitStack(stack: LowRankWeight, outputs: readonly number[]): LowRankWeight[] {
  if (outputs.length === 1) return [stack];
  const { left, inFeatures, right, convergence } = stack;
  if (left.kind !== 'sparse' && left.kind !== 'sparseGrid')
    throw new TypeError(`splitStack: ${left.kind} coefficients`);
  const sharedRight = { name: sharedFactorName(right), siteCount: outputs.length };
  const results: LowRankWeight[] = [];
  let [row, first] = [0, 0];
  for (const outFeatures of outputs) {
    const mask = left.mask.slice(row * left.inFeatures, (row + outFeatures) * left.inFeatures);
    const end = first + mask.reduce((sum, bit) => sum + bit, 0);
    const shape = { outFeatures, inFeatures: left.inFeatures, mask };
    const own =
      left.kind === 'sparse'
        ? { ...left, ...shape, values: left.values.slice(first, end) }
        : { ...left, ...shape, codes: left.codes.slice(first, end), scales: left.scales.slice(row, row + outFeatures) };
    const common = { kind: 'lowRank', outFeatures, inFeatures, left: own, right, sharedRight } as const;
    results.push(convergence === undefined ? common : { ...common, convergence });
    row += outFeatures;
    first = end;
  }
  return results;
}
