import { readWeight } from '@quern/onnx';
import { allocate, type SiteSpectrum, type WhitenedSpectrum } from '@quern/solvers';
import { checkInterrupted } from '../interruption.ts';
import type { Recipe } from '../recipe.ts';
import { budgetsOf } from './budgetsOf.ts';
import { jobKey } from './jobKey.ts';
import { nameSite } from './nameSite.ts';
import { releaseMemory } from './releaseMemory.ts';
import { shareOut } from './shareOut.ts';
import { rankAllocationOf, type SitePlan } from './sitePlan.ts';
import type { OriginalRun } from './solveOnOriginal.ts';

/**
 * Plans whose ratio is not the same everywhere get a rank of their own, or stay dense, from the spectra of their whitened
 * weights; all others stay as they are. Plans of one solver with the same options share a budget.
 */
export async function allocatePlans(
  run: OriginalRun,
  plans: readonly SitePlan[],
  recipe: Pick<Recipe, 'allocation'>,
): Promise<SitePlan[]> {
  const allocated = new Map<string, SitePlan>();
  const waiting = plans.filter(plan => rankAllocationOf(plan, recipe) !== 'uniform');
  const spectra = await spectraOf(run, waiting);
  for (const { plans: members, ratio } of budgetsOf(waiting)) {
    const { solver, options } = members[0]!;
    const sites: SiteSpectrum[] = members.map(({ site }) => ({
      name: site.name,
      type: typeOf(site.name, site.block),
      outFeatures: site.outFeatures,
      inFeatures: site.inFeatures,
      ...spectra.get(site.name)!,
    }));
    const choices = allocate(rankAllocationOf(members[0]!, recipe), sites, { ...options, ratio });
    for (const plan of members) {
      const choice = choices.get(plan.site.name)!;
      const { ratio: _, ...others } = plan.options;
      allocated.set(
        plan.site.name,
        choice === 'dense'
          ? { ...plan, solver: 'dense', options: {} }
          : { ...plan, solver, options: { ...others, rank: choice.rank } },
      );
    }
  }
  return plans.map(plan => allocated.get(plan.site.name) ?? plan);
}

/** The name without its block: weights of one place in the blocks. */
function typeOf(name: string, block: number | null): string {
  return name
    .split('.')
    .map(part => (part === String(block) ? '*' : part))
    .join('.');
}

async function spectraOf(run: OriginalRun, plans: readonly SitePlan[]): Promise<ReadonlyMap<string, WhitenedSpectrum>> {
  const { executor, results, origin, model, statisticsOf, emit, signal } = run;
  const spectra = new Map<string, WhitenedSpectrum>();
  await shareOut(plans, executor.threads, async plan => {
    checkInterrupted(signal);
    const { name } = plan.site;
    const key = jobKey({ origin, spectrum: name });
    let spectrum = await results.load<WhitenedSpectrum>(key);
    if (!spectrum) {
      const member = { weight: await readWeight(model, plan.site), statistics: await statisticsOf(plan) };
      try {
        spectrum = await executor.spectrum(member, signal);
      } catch (error) {
        throw nameSite(error, plan.site);
      }
      await results.save(key, spectrum);
      releaseMemory(8 * plan.site.inFeatures ** 2);
    }
    spectra.set(name, spectrum);
    const progress = { done: spectra.size, total: plans.length, unit: 'sites' } as const;
    emit({ kind: 'progress', stage: 'capture', ...progress, detail: 'spectra' });
  });
  return spectra;
}
