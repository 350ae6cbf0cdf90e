import { readWeight } from '@quern/onnx';
import { allocateBits, type RatedSite, type RatePoint } from '@quern/solvers';
import { checkInterrupted } from '../interruption.ts';
import type { LossRun } from '../measure/measureLosses.ts';
import type { Material } from '../open/material.ts';
import type { Recipe } from '../recipe.ts';
import { budgetsOf } from './budgetsOf.ts';
import { jobKey } from './jobKey.ts';
import { nameSite } from './nameSite.ts';
import { releaseMemory } from './releaseMemory.ts';
import { sensitivitiesOf } from './sensitivitiesOf.ts';
import { shareOut } from './shareOut.ts';
import { allocationOf, type SitePlan, solverOf, spreadsBits } from './sitePlan.ts';
import { type OriginalRun, solveOnOriginal } from './solveOnOriginal.ts';

/** What a weight takes as it is. */
const DENSE_BITS = 16;
/** Below it nothing is removed but rounding. */
const SMALLEST_RATIO = 1e-9;

/**
 * Plans whose bits, or ratio, are a mean over their sites get their own: those that together take as much and lose least, by
 * the sum of relative squared errors ('pooled') or by how much each raises the model's loss ('sensitivity'). A site whose bits reach 16
 * stays as it is; one whose format cannot take as many takes what it can. All other plans stay as they are. Plans of one solver with the same options share a budget.
 *
 * Up to three passes on the original model: for sensitivities every site at the mean, and the divergence that each causes alone; for all, what
 * each loses at falling rates.
 */
export async function spreadBits(
  run: OriginalRun & LossRun,
  plans: readonly SitePlan[],
  recipe: Pick<Recipe, 'allocation'>,
  material: Material,
): Promise<SitePlan[]> {
  const spread = plans.filter(plan => spreadsBits(plan, recipe));
  if (spread.length === 0) return [...plans];
  const weighted = spread.filter(plan => allocationOf(plan, recipe) === 'sensitivity');
  const keys = await solveOnOriginal(run, weighted);
  const sensitivities = await sensitivitiesOf(run, weighted, keys, material);
  const curves = await rateCurves(run, spread);
  const rate = ({ site }: SitePlan): RatedSite => ({
    elements: site.outFeatures * site.inFeatures,
    sensitivity: sensitivities.get(site.name) ?? 1,
    curve: curves.get(site.name)!,
  });
  const byRatio = spread.filter(plan => plan.options.ratio !== undefined);
  const byBits = spread.filter(plan => plan.options.ratio === undefined);
  const chosen = new Map<string, SitePlan>();
  for (const members of Map.groupBy(byBits, plan => plan.solver).values()) {
    const sites = members.map(rate);
    const total = sites.reduce((sum, site) => sum + site.elements, 0);
    const asked = members.reduce((sum, plan, index) => sum + Number(plan.options.bits) * sites[index]!.elements, 0);
    for (const [index, bits] of allocateBits(sites, asked / total).entries()) {
      const plan = members[index]!;
      chosen.set(plan.site.name, { ...plan, options: { ...plan.options, bits } });
    }
  }
  for (const { plans: members, ratio } of budgetsOf(byRatio)) {
    const sites = members.map(plan => ({ ...rate(plan), formatBits: DENSE_BITS * (1 - leastRatioOf(plan)) }));
    const asked = DENSE_BITS * (1 - ratio);
    const least = Math.min(asked, Math.max(...sites.map(({ curve }) => curve[0]!.bits)));
    for (const [index, bits] of allocateBits(sites, asked, { least, most: DENSE_BITS }).entries()) {
      chosen.set(members[index]!.site.name, withRatio(members[index]!, 1 - bits / DENSE_BITS));
    }
  }
  return plans.map(plan => chosen.get(plan.site.name) ?? plan);
}

function withRatio(plan: SitePlan, ratio: number): SitePlan {
  if (ratio < SMALLEST_RATIO) return { ...plan, solver: 'dense', options: {} };
  return { ...plan, options: { ...plan.options, ratio: Math.max(ratio, leastRatioOf(plan)) } };
}

function leastRatioOf(plan: SitePlan): number {
  return solverOf(plan).leastRatio?.(plan.site, plan.options) ?? 0;
}

async function rateCurves(run: OriginalRun, plans: readonly SitePlan[]): Promise<ReadonlyMap<string, RatePoint[]>> {
  const { executor, results, origin, model, statisticsOf, emit, signal } = run;
  const curves = new Map<string, RatePoint[]>();
  await shareOut(plans, executor.threads, async plan => {
    checkInterrupted(signal);
    const { site, solver } = plan;
    // What is asked for does not change the curve.
    const { bits: _bits, ratio: _ratio, ...options } = plan.options;
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
