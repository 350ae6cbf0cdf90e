import { readWeight } from '@quern/onnx';
import type { Device } from '@quern/runtime';
import { allocateBits, type RatedSite, type RatePoint } from '@quern/solvers';
import { checkInterrupted } from '../interruption.ts';
import type { Material } from '../open/material.ts';
import type { Recipe } from '../recipe.ts';
import { jobKey } from './jobKey.ts';
import { measureSensitivities } from './measureSensitivities.ts';
import { nameSite } from './nameSite.ts';
import { releaseMemory } from './releaseMemory.ts';
import { shareOut } from './shareOut.ts';
import { type SitePlan, spreadsBits } from './sitePlan.ts';
import { type OriginalRun, solveOnOriginal } from './solveOnOriginal.ts';

/**
 * Plans of entropy-coded methods, whose bits are a mean over their sites, get bits of their own: those that together take as much and
 * raise the model's loss least. All other plans stay as they are. Plans of one solver share a budget.
 *
 * Three passes on the original model: every site at the mean, the divergence that each causes alone, and its loss at falling rates.
 */
export async function spreadBits(
  run: OriginalRun & { readonly device: Device },
  plans: readonly SitePlan[],
  recipe: Pick<Recipe, 'allocation'>,
  material: Material,
): Promise<SitePlan[]> {
  const spread = plans.filter(plan => spreadsBits(plan, recipe));
  if (spread.length === 0) return [...plans];
  const keys = await solveOnOriginal(run, spread);
  const sensitivities = await measureSensitivities(run, spread, keys, material);
  const curves = await rateCurves(run, spread);
  const chosen = new Map<string, SitePlan>();
  for (const members of Map.groupBy(spread, plan => plan.solver).values()) {
    const sites: RatedSite[] = members.map(({ site }) => ({
      elements: site.outFeatures * site.inFeatures,
      sensitivity: sensitivities.get(site.name)!,
      curve: curves.get(site.name)!,
    }));
    const total = sites.reduce((sum, site) => sum + site.elements, 0);
    const asked = members.reduce((sum, plan, index) => sum + Number(plan.options.bits) * sites[index]!.elements, 0);
    for (const [index, bits] of allocateBits(sites, asked / total).entries()) {
      const plan = members[index]!;
      chosen.set(plan.site.name, { ...plan, options: { ...plan.options, bits } });
    }
  }
  return plans.map(plan => chosen.get(plan.site.name) ?? plan);
}

async function rateCurves(run: OriginalRun, plans: readonly SitePlan[]): Promise<ReadonlyMap<string, RatePoint[]>> {
  const { executor, results, origin, model, statisticsOf, emit, signal } = run;
  const curves = new Map<string, RatePoint[]>();
  await shareOut(plans, executor.threads, async plan => {
    checkInterrupted(signal);
    const { site, solver } = plan;
    // The bits asked for do not change the curve.
    const { bits: _, ...options } = plan.options;
    const key = jobKey({ origin, rateCurve: site.name, solver, options });
    let curve = await results.load<RatePoint[]>(key);
    if (!curve) {
      const member = { weight: await readWeight(model, site), statistics: await statisticsOf(plan), options };
      try {
        curve = await executor.rateCurve(solver, member, signal);
      } catch (error) {
        throw nameSite(error, site);
      }
      await results.save(key, curve);
      releaseMemory(8 * site.inFeatures ** 2);
    }
    curves.set(site.name, curve);
    const progress = { done: curves.size, total: plans.length, unit: 'sites' } as const;
    emit({ kind: 'progress', stage: 'capture', ...progress, detail: 'rates' });
  });
  return curves;
}
