import { join } from 'node:path';
import type { CompressedWeight } from '@quern/core';
import type { Device } from '@quern/runtime';
import type { MeasuredLoss } from '@quern/solvers';
import type { Emit } from '../events.ts';
import { asBlocks } from '../forward/asBlocks.ts';
import { type KeptBaseline, keepBaseline, windowsThatFit } from '../forward/keepBaseline.ts';
import { weightBytes } from '../forward/weightBytes.ts';
import { checkInterrupted } from '../interruption.ts';
import type { PreparedText } from '../open/prepareText.ts';
import { textContent } from '../open/textContent.ts';
import type { Executor } from '../solve/createExecutor.ts';
import { type JobContent, jobKey } from '../solve/jobKey.ts';
import { nameSite } from '../solve/nameSite.ts';
import { releaseMemory } from '../solve/releaseMemory.ts';
import type { ResultStore } from '../solve/resultStore.ts';
import { shareOut } from '../solve/shareOut.ts';
import type { SitePlan } from '../solve/sitePlan.ts';
import type { SolvedTask } from './measureLoss.ts';
import { copyOf, optionsInRun, type SiteSource, siteTask } from './siteTask.ts';

export interface LossRun extends SiteSource {
  readonly executor: Executor;
  /** Receives what was measured, by what it was measured from. */
  readonly results: ResultStore;
  /** What everything is made from: model, calibration, engine, seed. */
  readonly origin: JobContent;
  readonly device: Device;
  readonly scratch: string;
  readonly emit: Emit;
  readonly signal: AbortSignal | undefined;
}

/** Sites of one block that are to be replaced together, mostly one, with what a solver makes of them. */
export type LossRequest = readonly LossMember[];

export interface LossMember {
  readonly plan: SitePlan;
  /** Where it was solved already, together with others maybe: under which name, and the result. */
  readonly solved?: { readonly key: string; readonly load: () => Promise<CompressedWeight> };
}

/** Weights, in float32, of sessions that are open at the same time. */
const SESSION_BYTES = 4e9;

/**
 * What the model loses by the error of single sites: its divergence from the original on a text when the site, or those of one request,
 * alone run with their results, beside their mean squared relative output error. What the store holds is not measured again. In the order of the requests.
 *
 * Cost: a forward pass of the text a site, of a large model from its block on, on as many workers as hold models of 4 GB together; see
 * `keepBaseline` for what lies on disk.
 */
export async function measureLosses(
  run: LossRun,
  requests: readonly LossRequest[],
  text: PreparedText,
): Promise<MeasuredLoss[]> {
  const { executor, results, emit, signal, device, scratch } = run;
  const losses = new Map<LossRequest, MeasuredLoss>();
  const total = requests.length;
  const tell = (): void =>
    emit({ kind: 'progress', stage: 'measure', done: losses.size, total, unit: 'sites', detail: 'loss of the model' });
  const missing: LossRequest[] = [];
  for (const request of requests) {
    const known = await recallLoss(run, request, text);
    if (known) losses.set(request, known);
    else missing.push(request);
  }
  tell();
  let kept: KeptBaseline | null = null;
  if (missing.length > 0) {
    const windows = windowsThatFit(run.model, text.windows, device);
    kept = await keepBaseline(run.model, windows, join(scratch, 'held-out'), { device, signal });
  }
  const model = copyOf(run.model);
  const atOnce = sessionsAtOnce(run);
  await shareOut(missing, atOnce, async request => {
    checkInterrupted(signal);
    const members: SolvedTask[] = [];
    for (const { plan, solved } of request) {
      const given = { options: optionsInRun(run.model, plan), solved: (await solved?.load()) ?? null };
      members.push({ ...(await siteTask(run, model, plan)), ...given });
    }
    const { site } = request[0]!.plan;
    const threads = atOnce > 1 ? { threads: 1 } : {};
    try {
      losses.set(request, await executor.loss({ members, kept: kept!, device, ...threads }, signal));
    } catch (error) {
      throw nameSite(error, site);
    }
    await results.save(lossKey(run, request, text), losses.get(request)!);
    releaseMemory(8 * site.inFeatures ** 2);
    tell();
  });
  return requests.map(request => losses.get(request)!);
}

/** What was measured before; null for nothing. */
export function recallLoss(
  run: Pick<LossRun, 'origin' | 'results'>,
  request: LossRequest,
  text: PreparedText,
): Promise<MeasuredLoss | null> {
  return run.results.load<MeasuredLoss>(lossKey(run, request, text));
}

function lossKey({ origin }: Pick<LossRun, 'origin'>, request: LossRequest, text: PreparedText): string {
  const members = request.map(({ plan, solved }) => {
    const content = { loss: plan.site.name, solver: plan.solver, options: plan.options };
    return solved === undefined ? content : { ...content, solved: solved.key };
  });
  const common = { origin, text: textContent(text) };
  return jobKey(members.length === 1 ? { ...common, ...members[0]! } : { ...common, members });
}

/** Passes that may run together: as many as have room for what they open, the model or one of its blocks; one beside the CPU. */
function sessionsAtOnce({ model, executor, device }: LossRun): number {
  if (device !== 'cpu') return 1;
  const blocks = asBlocks(model, device);
  const bytes = weightBytes(model) / (blocks?.cuts.length ?? 1);
  return Math.max(1, Math.min(executor.threads, Math.floor(SESSION_BYTES / Math.max(1, bytes))));
}
