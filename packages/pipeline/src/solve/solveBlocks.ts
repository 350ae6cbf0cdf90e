import { CompressionError, type InputStatistics, type LinearSite } from '@quern/core';
import { type BlockCut, canCapture, type OnnxModel, type WeightStore } from '@quern/onnx';
import type { SiteReport } from '../compressRequest.ts';
import type { Emit } from '../events.ts';
import { captureBlock, type ForwardContext } from '../forward/blockForward.ts';
import { followBlocks } from '../forward/followBlocks.ts';
import { checkInterrupted } from '../interruption.ts';
import type { Recipe } from '../recipe.ts';
import type { Executor } from './createExecutor.ts';
import { foldScales } from './foldScales.ts';
import { groupPlans } from './groupPlans.ts';
import { type JobContent, jobKey } from './jobKey.ts';
import { placeResult } from './placeResult.ts';
import { releaseMemory } from './releaseMemory.ts';
import type { ResultStore } from './resultStore.ts';
import { type FinishedJob, type Job, type KeyedPlan, runJobs } from './runJobs.ts';
import { readsActivations, type SitePlan } from './sitePlan.ts';
import { type Segment, splitSegments } from './splitSegments.ts';

export interface SolveBlocksRequest {
  readonly model: OnnxModel;
  readonly recipe: Recipe;
  readonly plans: readonly SitePlan[];
  /** Where the hidden state crosses from block to block; null for a graph without blocks. */
  readonly cuts: readonly BlockCut[] | null;
  /** Null when no solver here reads activations. */
  readonly forward: ForwardContext | null;
  /** The model as it was, for solvers that correct the drift of the compressed prefix; null when none here does. */
  readonly original: ForwardContext | null;
  readonly executor: Executor;
  readonly results: ResultStore;
  /** Keys, by site, of results that were made on the original model and lie in the store. */
  readonly solvedBefore: ReadonlyMap<string, string>;
  /** What every job of this run is made from: source, calibration, seed, versions. */
  readonly origin: JobContent;
  readonly store: WeightStore;
  readonly emit: Emit;
  readonly signal: AbortSignal | undefined;
}

/** The loop's own view of a request. */
type SolveRun = SolveBlocksRequest & {
  /** Names of the sites that are done. */
  readonly finished: Set<string>;
  /** Moves the hidden states to the input of a segment. */
  readonly reach: (index: number) => Promise<void>;
  readonly reachOriginal: (index: number) => Promise<void>;
};

/**
 * The loop of the pipeline: for each block in order, statistics of its inputs through the already compressed prefix, one
 * job per site, results into the graph and the file. Hidden states pass a compressed block when the next capture needs them.
 *
 * Only one block's weights and Grams are in memory. A finished job is in the result store before the next block begins; the key
 * of a job that reads activations holds the keys of all jobs before it, so a changed prefix is a different job.
 */
export async function solveBlocks(given: SolveBlocksRequest): Promise<SiteReport[]> {
  const { plans, forward, original, cuts } = given;
  const follow = (context: ForwardContext | null): ((index: number) => Promise<void>) =>
    context && cuts ? followBlocks(context, cuts) : async () => undefined;
  const reach = follow(forward);
  const request: SolveRun = { ...given, finished: new Set(), reach, reachOriginal: follow(original) };
  const reports: SiteReport[] = [];
  let prefix = '';
  for (const segment of splitSegments(plans, forward ? cuts : null)) {
    const solved = await solveSegment(request, segment, prefix);
    prefix = jobKey([prefix, ...solved.map(site => site.key)]);
    releaseMemory(segment.plans.reduce((sum, { site }) => sum + 8 * site.inFeatures ** 2, 0));
    for (const { plan, finished } of await foldScales(request, solved)) {
      checkInterrupted(request.signal);
      reports.push(await placeResult(request, plan, finished));
    }
  }
  return reports;
}

type SolvedSite = KeyedPlan & { readonly finished: FinishedJob };

async function solveSegment(request: SolveRun, segment: Segment, prefix: string): Promise<SolvedSite[]> {
  const { results, forward, solvedBefore } = request;
  const jobs = groupPlans(segment.plans).map(members => keyJob(request, members, prefix));
  const keyed = jobs.flat();
  const done = new Map<string, FinishedJob>();
  for (const { plan, key } of keyed) {
    const known = await results.load<FinishedJob>(key);
    if (known) {
      done.set(key, known);
      request.finished.add(plan.site.name);
    } else if (solvedBefore.has(plan.site.name)) {
      throw new CompressionError('INTERNAL', `The result for ${plan.site.name} is gone from the run folder.`);
    }
  }
  // Sites that are solved together are solved again together.
  const missing = jobs.filter(job => job.some(({ key }) => !done.has(key)));
  const reading = missing
    .flat()
    .filter(({ plan }) => readsActivations(plan))
    .map(({ plan }) => plan.site);
  const statistics = reading.length > 0 && forward ? await capture(request, forward, segment, reading) : new Map();
  const statisticsOf = async (plan: SitePlan): Promise<InputStatistics | null> =>
    readsActivations(plan) ? statistics.get(plan.site.inputName)! : null;
  await runJobs({ ...request, statisticsOf }, missing, ({ plan, key }, finished) => {
    done.set(key, finished);
    request.finished.add(plan.site.name);
    tell(request, segment, 'solve');
  });
  tell(request, segment, 'write');
  return keyed.map(job => ({ ...job, finished: done.get(job.key)! }));
}

/** Names the results of plans that are solved together: each holds what all of them are made from. */
function keyJob({ origin, solvedBefore }: SolveRun, members: readonly SitePlan[], prefix: string): Job {
  const content = members.map(({ site, solver, options }) => ({ site: site.name, solver, options }));
  const behind = readsActivations(members[0]!) ? prefix : '';
  return members.map((plan, member) => ({
    plan,
    key: solvedBefore.get(plan.site.name) ?? jobKey({ origin, content, member, prefix: behind }),
  }));
}

async function capture(
  request: SolveRun,
  forward: ForwardContext,
  segment: Segment,
  sites: readonly LinearSite[],
): Promise<ReadonlyMap<string, InputStatistics>> {
  const hidden = sites.find(site => !canCapture(request.model, site));
  if (hidden) {
    throw new CompressionError(
      'SOLVER_FAILED',
      `The input of ${hidden.name} stands inside a sub-graph and cannot be captured: use --method rtn, or --exclude '${hidden.name}'.`,
      { site: hidden.name },
    );
  }
  await request.reach(segment.index);
  const { runCount } = forward.inputs;
  const onRun = (done: number): void => tell(request, segment, `capture ${done} of ${runCount}`);
  // Before the first block nothing has drifted, and without blocks nothing is compressed yet.
  const original = segment.cut && segment.index > 0 ? request.original : null;
  if (original) await request.reachOriginal(segment.index);
  const statistics = await captureBlock(forward, segment.cut, sites, onRun, original);
  // What chunks were summed in, before solvers need the room.
  releaseMemory([...statistics.values()].reduce((sum, { inputGram }) => sum + 4 * inputGram.data.length, 0));
  return statistics;
}

/** Reports the sites done so far and what is being worked on. */
function tell(request: SolveRun, segment: Segment, step: string): void {
  const { plans, cuts, emit } = request;
  const place =
    segment.block === null
      ? segment.cut
        ? 'head'
        : 'whole graph'
      : `block ${segment.block + 1} of ${cuts?.length ?? '?'}`;
  const done = request.finished.size;
  emit({ kind: 'progress', stage: 'solve', done, total: plans.length, unit: 'sites', detail: `${place}: ${step}` });
}
