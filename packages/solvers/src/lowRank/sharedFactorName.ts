import type { Factor } from '@quern/core';
import { fingerprint } from './fingerprint.ts';

/** The name of a factor that several sites have in common: equal factors have equal names, different ones different names. */
export function sharedFactorName(factor: Factor): string {
  if (factor.kind === 'dense') return `basis_${fingerprint([factor.data])}`;
  if (factor.kind === 'quantized') return `basis_${fingerprint([factor.codes, factor.scales])}`;
  if (factor.kind === 'sparse') return `basis_${fingerprint([factor.mask, factor.values])}`;
  return `basis_${fingerprint([factor.mask, factor.codes, factor.scales])}`;
}
