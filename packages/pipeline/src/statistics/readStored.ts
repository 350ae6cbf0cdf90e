import type { InputStatistics } from '@quern/core';
import type { Material } from '../open/material.ts';
import { readsActivations, type SitePlan } from '../solve/sitePlan.ts';
import { invalidStatistics } from './invalidStatistics.ts';

/** What reads captured statistics. Errors of it: INVALID_STATISTICS for a site that needs some and has none there. */
export function readStored(material: Material | null): (plan: SitePlan) => Promise<InputStatistics | null> {
  if (material?.kind !== 'statistics') return async () => null;
  const { statistics } = material;
  return async plan => {
    const own = await statistics.read(plan.site);
    if (own || !readsActivations(plan)) return own;
    const { folder } = statistics.captures[0]!;
    throw invalidStatistics(folder, `hold nothing of the input of ${plan.site.name}`, 'Capture it, or --exclude it');
  };
}
