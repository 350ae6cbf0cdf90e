import { CompressionError } from '@quern/core';
import type { MeasuredLoss } from '@quern/solvers';
import { checkInterrupted } from '../interruption.ts';
import { type LossRun, measureLosses, recallLoss } from '../measure/measureLosses.ts';
import { copyOf, optionsInRun, siteTask } from '../measure/siteTask.ts';
import type { PreparedText } from '../open/prepareText.ts';
import type { Recipe } from '../recipe.ts';
import { jobKey } from '../solve/jobKey.ts';
import { nameSite } from '../solve/nameSite.ts';
import { releaseMemory } from '../solve/releaseMemory.ts';
import { shareOut } from '../solve/shareOut.ts';
import { plannedStorageBits, type SitePlan } from '../solve/sitePlan.ts';
import type { SiteCandidates } from './listCandidates.ts';
import { type MeasuredUnit, measureUnits, recallUnits } from './measureUnits.ts';
import type { MeasuredWay } from './measureWays.ts';

/** A way of treating a site with what it stores and spoils. */
export interface MeasuredCandidate extends MeasuredWay {
  readonly plan: SitePlan;
}

/** All that a budget must know of a model. */
export interface MeasuredModel {
  readonly sites: readonly MeasuredSite[];
  /** Ways in which several of the sites are one weight. */
  readonly units: readonly MeasuredUnit[];
}

/** A site with all that a budget must know to choose for it. */
export interface MeasuredSite {
  readonly candidates: readonly MeasuredCandidate[];
  /** What the model lost when the site alone ran with an error, at a small and a large one. Empty where no text says. */
  readonly losses: readonly MeasuredLoss[];
}

export interface MeasureRun extends LossRun {
  readonly recipe: Pick<Recipe, 'storage' | 'accuracyLevel'>;
  /** Text that no statistics have seen; null for a model that reads none. */
  readonly heldOut: PreparedText | null;
}

/** Stored bits per weight of the two ways whose loss is measured. */
const LOSS_BITS = [2, 4] as const;

/**
 * Measures every way of treating every site, and several as one weight, and what the model loses by two of them: everything about a model that budgets need, and no
 * budget changes it. What the store holds is not measured again.
 *
 * Cost: every solver once for each of its ways, a rate curve for sites that are one weight, on the activations of the original; two forward passes of the held-out windows a site.
 * Both run on all workers, the passes on as many as hold models of 4 GB together.
 */
export async function measureSites(run: MeasureRun, sites: readonly SiteCandidates[]): Promise<MeasuredModel> {
  const ways = await measureAllWays(run, sites);
  const units = await measureUnits(run, sites);
  const asked = run.heldOut ? sites.map(({ plans }) => lossPlans(plans).map(plan => [{ plan }])) : sites.map(() => []);
  const measured = run.heldOut ? await measureLosses(run, asked.flat(), run.heldOut) : [];
  const lossOf = new Map(asked.flat().map((request, at) => [request, measured[at]!]));
  const single = sites.map(({ site, plans }, index) => {
    const candidates = plans.flatMap(plan => {
      const way = ways[index]!.get(plan);
      return way ? [{ plan, ...way }] : [];
    });
    if (candidates.length === 0) {
      const message = `${site.name}: every method of the budget fails on it; name others, or calibrate on more text.`;
      throw new CompressionError('SOLVER_FAILED', message, { site: site.name });
    }
    return { candidates, losses: asked[index]!.map(request => lossOf.get(request)!) };
  });
  return { sites: single, units };
}

/** What is known of the sites without measuring; null unless all of it is. */
export async function recallSites(
  run: Pick<MeasureRun, 'recipe' | 'results' | 'origin' | 'heldOut'>,
  sites: readonly SiteCandidates[],
): Promise<MeasuredModel | null> {
  const known: MeasuredSite[] = [];
  for (const { plans } of sites) {
    const candidates: MeasuredCandidate[] = [];
    for (const [, own] of bySolver(plans)) {
      const ways = await run.results.load<(MeasuredWay | null)[]>(waysKey(run, own));
      if (ways === null) return null;
      for (const [index, plan] of own.entries()) if (ways[index]) candidates.push({ plan, ...ways[index] });
    }
    const losses: MeasuredLoss[] = [];
    for (const plan of run.heldOut ? lossPlans(plans) : []) {
      const loss = await recallLoss(run, [{ plan }], run.heldOut!);
      if (loss === null) return null;
      losses.push(loss);
    }
    known.push({ candidates, losses });
  }
  const units = await recallUnits(run, sites);
  return units && { sites: known, units };
}

/** The two ways of a site whose loss is measured: those nearest to 2 and to 4 stored bits a weight. */
export function lossPlans(plans: readonly SitePlan[]): SitePlan[] {
  const { outFeatures, inFeatures } = plans[0]!.site;
  const distance = (plan: SitePlan, bits: number): number =>
    Math.abs(plannedStorageBits(plan) / (outFeatures * inFeatures) - bits);
  const nearest = LOSS_BITS.map(bits =>
    plans.reduce((best, plan) => (distance(plan, bits) < distance(best, bits) ? plan : best)),
  );
  return [...new Set(nearest)];
}

function bySolver(plans: readonly SitePlan[]): Map<string, SitePlan[]> {
  return Map.groupBy(plans, plan => plan.solver);
}

function waysKey({ origin, recipe }: Pick<MeasureRun, 'origin' | 'recipe'>, plans: readonly SitePlan[]): string {
  const { site, solver } = plans[0]!;
  return jobKey({
    ...{ origin, ways: site.name, solver, storage: recipe.storage!, accuracyLevel: recipe.accuracyLevel },
    options: plans.map(plan => plan.options),
  });
}

async function measureAllWays(
  run: MeasureRun,
  sites: readonly SiteCandidates[],
): Promise<ReadonlyMap<SitePlan, MeasuredWay>[]> {
  const model = copyOf(run.model);
  const { executor, results, emit, signal, recipe } = run;
  const found = sites.map(() => new Map<SitePlan, MeasuredWay>());
  const total = sites.reduce((sum, { plans }) => sum + bySolver(plans).size, 0);
  let done = 0;
  const tell = (): void =>
    emit({ kind: 'progress', stage: 'measure', done, total, unit: 'sites', detail: 'methods and widths' });
  const jobs = sites.flatMap(({ plans }, index) =>
    [...bySolver(plans)].map(([solver, own]) => ({ solver, own, known: found[index]! })),
  );
  // The longest first, so that no worker is left alone with it at the end.
  const work = ({ own }: { readonly own: readonly SitePlan[] }): number =>
    own.length * own[0]!.site.inFeatures ** 2 * (own[0]!.site.inFeatures + own[0]!.site.outFeatures);
  await shareOut(
    jobs.toSorted((left, right) => work(right) - work(left)),
    executor.threads,
    async ({ solver, own, known }) => {
      checkInterrupted(signal);
      const key = waysKey(run, own);
      let ways = await results.load<readonly (MeasuredWay | null)[]>(key);
      if (ways === null) {
        const task = await siteTask(run, model, own[0]!);
        const options = own.map(plan => optionsInRun(run.model, plan));
        try {
          ways = await executor.ways({ ...task, solver, options, storage: recipe.storage! }, signal);
        } catch (error) {
          throw nameSite(error, own[0]!.site);
        }
        await results.save(key, ways);
        releaseMemory(8 * own[0]!.site.inFeatures ** 2);
      }
      for (const [index, plan] of own.entries()) {
        const way = ways[index];
        if (way) known.set(plan, way);
      }
      done++;
      tell();
    },
  );
  return found;
}
