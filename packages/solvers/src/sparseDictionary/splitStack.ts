import type { Factor, LowRankWeight } from '@quern/core';
import { sharedFactorName } from '../lowRank/sharedFactorName.ts';

/**
 * The weights of a stack's sites: the right factor in common, of the left one the rows of each. One alone stays as it is.
 */
export function splitStack(stack: LowRankWeight, outputs: readonly number[]): LowRankWeight[] {
  if (outputs.length <= 1) return [stack];
  const { left, inFeatures, right, convergence } = stack;
  const sharedRight = { name: sharedFactorName(right), siteCount: outputs.length };
  let row = 0;
  return outputs.map(outFeatures => {
    const own = rowsOf(left, row, outFeatures);
    row += outFeatures;
    const common = { kind: 'lowRank', outFeatures, inFeatures, left: own, right, sharedRight } as const;
    return convergence === undefined ? common : { ...common, convergence };
  });
}

function rowsOf(factor: Factor, from: number, outFeatures: number): Factor {
  const { inFeatures } = factor;
  const [start, end] = [from * inFeatures, (from + outFeatures) * inFeatures];
  if (factor.kind === 'dense') return { ...factor, outFeatures, data: factor.data.slice(start, end) };
  if (factor.kind === 'quantized') {
    const groupCount = factor.scales.length / factor.outFeatures;
    const scales = factor.scales.slice(from * groupCount, (from + outFeatures) * groupCount);
    return { ...factor, outFeatures, codes: factor.codes.slice(start, end), scales, zeroPoints: null };
  }
  const countIn = (mask: Uint8Array): number => mask.reduce((sum, bit) => sum + bit, 0);
  const mask = factor.mask.slice(start, end);
  const first = countIn(factor.mask.subarray(0, start));
  const last = first + countIn(mask);
  return factor.kind === 'sparse'
    ? { ...factor, outFeatures, mask, values: factor.values.slice(first, last) }
    : {
        ...{ ...factor, outFeatures, mask, codes: factor.codes.slice(first, last) },
        scales: factor.scales.slice(from, from + outFeatures),
      };
}
