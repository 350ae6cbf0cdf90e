import { join } from 'node:path';
import { CompressionError, type InputStatistics } from '@quern/core';
import { activationTypeOf, type OnnxModel, readWeight, serializeModel } from '@quern/onnx';
import type { Device } from '@quern/runtime';
import type { MeasuredLoss } from '@quern/solvers';
import type { Emit } from '../events.ts';
import { asBlocks } from '../forward/asBlocks.ts';
import { type KeptBaseline, keepBaseline, windowsThatFit } from '../forward/keepBaseline.ts';
import { weightBytes } from '../forward/weightBytes.ts';
import { checkInterrupted } from '../interruption.ts';
import type { PreparedText } from '../open/prepareText.ts';
import { textContent } from '../open/textContent.ts';
import type { Recipe } from '../recipe.ts';
import { scaleTypeFor } from '../solve/compressEmbeddings.ts';
import type { Executor } from '../solve/createExecutor.ts';
import { type JobContent, jobKey } from '../solve/jobKey.ts';
import { nameSite } from '../solve/nameSite.ts';
import { releaseMemory } from '../solve/releaseMemory.ts';
import type { ResultStore } from '../solve/resultStore.ts';
import { shareOut } from '../solve/shareOut.ts';
import { plannedStorageBits, type SitePlan, solverOf } from '../solve/sitePlan.ts';
import type { SiteCandidates } from './listCandidates.ts';
import type { MeasuredWay, SiteTask } from './measureTasks.ts';

/** A way of treating a site with what it stores and spoils. */
export interface MeasuredCandidate extends MeasuredWay {
  readonly plan: SitePlan;
}

/** A site with all that a budget must know to choose for it. */
export interface MeasuredSite {
  readonly candidates: readonly MeasuredCandidate[];
  /** What the model lost when the site alone ran with an error, at a small and a large one. Empty where no text says. */
  readonly losses: readonly MeasuredLoss[];
}

export interface MeasureRun {
  /** The original. */
  readonly model: OnnxModel;
  readonly recipe: Pick<Recipe, 'storage' | 'accuracyLevel'>;
  readonly executor: Executor;
  /** Receives what was measured, by what it was measured from. */
  readonly results: ResultStore;
  /** What everything is made from: model, calibration, engine, seed. */
  readonly origin: JobContent;
  /** Statistics of the original's inputs; called only where something is missing. */
  readonly statisticsOf: (plan: SitePlan) => Promise<InputStatistics | null>;
  /** Text that no statistics have seen; null for a model that reads none. */
  readonly heldOut: PreparedText | null;
  readonly device: Device;
  readonly scratch: string;
  readonly emit: Emit;
  readonly signal: AbortSignal | undefined;
}

/** Stored bits per weight of the two ways whose loss is measured. */
const LOSS_BITS = [2, 4] as const;
/** Weights, in float32, of sessions that are open at the same time. */
const SESSION_BYTES = 4e9;

/**
 * Measures every way of treating every site, and what the model loses by two of them: everything about a model that budgets need, and no
 * budget changes it. What the store holds is not measured again.
 *
 * Cost: every solver once for each of its ways, on the activations of the original; two forward passes of the held-out windows a site.
 * Both run on all workers, the passes on as many as hold models of 4 GB together.
 */
export async function measureSites(run: MeasureRun, sites: readonly SiteCandidates[]): Promise<MeasuredSite[]> {
  const model = { bytes: serializeModel(run.model), folder: run.model.folder };
  const ways = await measureAllWays(run, model, sites);
  const losses = run.heldOut ? await measureAllLosses(run, model, sites, run.heldOut) : sites.map(() => []);
  return sites.map(({ site, plans }, index) => {
    const candidates = plans.flatMap(plan => {
      const way = ways[index]!.get(plan);
      return way ? [{ plan, ...way }] : [];
    });
    if (candidates.length === 0) {
      const message = `${site.name}: every method of the budget fails on it; name others, or calibrate on more text.`;
      throw new CompressionError('SOLVER_FAILED', message, { site: site.name });
    }
    return { candidates, losses: losses[index]! };
  });
}

/** What is known of the sites without measuring; null unless all of it is. */
export async function recallSites(
  run: Pick<MeasureRun, 'recipe' | 'results' | 'origin' | 'heldOut'>,
  sites: readonly SiteCandidates[],
): Promise<MeasuredSite[] | null> {
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
      const loss = await run.results.load<MeasuredLoss>(lossKey(run, plan, run.heldOut!));
      if (loss === null) return null;
      losses.push(loss);
    }
    known.push({ candidates, losses });
  }
  return known;
}

/** The two ways of a site whose loss is measured: those nearest to 2 and to 4 stored bits a weight. */
export function lossPlans(plans: readonly SitePlan[]): SitePlan[] {
  const { outFeatures, inFeatures } = plans[0]!.site;
  const distance = (plan: SitePlan, bits: number): number =>
    Math.abs(plannedStorageBits(plan, 1) / (outFeatures * inFeatures) - bits);
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

function lossKey({ origin }: Pick<MeasureRun, 'origin'>, plan: SitePlan, heldOut: PreparedText): string {
  const text = textContent(heldOut);
  return jobKey({ origin, loss: plan.site.name, solver: plan.solver, options: plan.options, text });
}

async function measureAllWays(
  run: MeasureRun,
  model: SiteTask['model'],
  sites: readonly SiteCandidates[],
): Promise<ReadonlyMap<SitePlan, MeasuredWay>[]> {
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
        const options = own.map(plan => withScaleType(run.model, plan));
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

async function measureAllLosses(
  run: MeasureRun,
  model: SiteTask['model'],
  sites: readonly SiteCandidates[],
  heldOut: PreparedText,
): Promise<MeasuredLoss[][]> {
  const { executor, results, emit, signal, device } = run;
  const asked = sites.flatMap(({ plans }, site) => lossPlans(plans).map(plan => ({ plan, site })));
  const losses = new Map<SitePlan, MeasuredLoss>();
  let kept: KeptBaseline | null = null;
  const tell = (): void =>
    emit({
      kind: 'progress',
      stage: 'measure',
      done: losses.size,
      total: asked.length,
      unit: 'sites',
      detail: 'loss of the model',
    });
  const missing: SitePlan[] = [];
  for (const { plan } of asked) {
    const known = await results.load<MeasuredLoss>(lossKey(run, plan, heldOut));
    if (known) losses.set(plan, known);
    else missing.push(plan);
  }
  tell();
  if (missing.length > 0) {
    const windows = windowsThatFit(run.model, heldOut.windows, device);
    kept = await keepBaseline(run.model, windows, join(run.scratch, 'held-out'), { device, signal });
  }
  const atOnce = sessionsAtOnce(run);
  await shareOut(missing, atOnce, async plan => {
    checkInterrupted(signal);
    const task = await siteTask(run, model, plan);
    const threads = atOnce > 1 ? { threads: 1 } : {};
    const options = withScaleType(run.model, plan);
    try {
      losses.set(plan, await executor.loss({ ...task, options, kept: kept!, device, ...threads }, signal));
    } catch (error) {
      throw nameSite(error, plan.site);
    }
    await results.save(lossKey(run, plan, heldOut), losses.get(plan)!);
    releaseMemory(8 * plan.site.inFeatures ** 2);
    tell();
  });
  return sites.map(({ plans }) => lossPlans(plans).map(plan => losses.get(plan)!));
}

/** Passes that may run together: as many as have room for what they open, the model or one of its blocks; one beside the CPU. */
function sessionsAtOnce({ model, executor, device }: MeasureRun): number {
  if (device !== 'cpu') return 1;
  const blocks = asBlocks(model, device);
  const bytes = weightBytes(model) / (blocks?.cuts.length ?? 1);
  return Math.max(1, Math.min(executor.threads, Math.floor(SESSION_BYTES / Math.max(1, bytes))));
}

async function siteTask(run: MeasureRun, model: SiteTask['model'], plan: SitePlan): Promise<SiteTask> {
  const { site, solver } = plan;
  const activationType = activationTypeOf(run.model, site);
  const { accuracyLevel } = run.recipe;
  const weight = await readWeight(run.model, site);
  return { model, site, solver, weight, statistics: await run.statisticsOf(plan), accuracyLevel, activationType };
}

/** The options of a plan as a run of it would have them. */
function withScaleType(model: OnnxModel, plan: SitePlan): SitePlan['options'] {
  if (!Object.hasOwn(solverOf(plan).optionsSchema.shape, 'scaleType')) return plan.options;
  const scaleType = scaleTypeFor(activationTypeOf(model, plan.site));
  return scaleType === 'auto' ? plan.options : { ...plan.options, scaleType };
}
