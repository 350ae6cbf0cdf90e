import { CompressionError, type InputStatistics, type LinearSite, type SolveResult, toErrorRecord } from '@quern/core';
import {
  activationTypeOf,
  type BlockCut,
  canCapture,
  type OnnxModel,
  readWeight,
  replaceSite,
  type WeightStore,
} from '@quern/onnx';
import { solvers } from '@quern/solvers';
import type { SiteReport } from '../compressRequest.ts';
import type { Emit } from '../events.ts';
import { captureBlock, type ForwardContext } from '../forward/blockForward.ts';
import { followBlocks } from '../forward/followBlocks.ts';
import { checkInterrupted } from '../interruption.ts';
import type { Recipe } from '../recipe.ts';
import { scaleTypeFor } from './compressEmbeddings.ts';
import type { Executor } from './createExecutor.ts';
import { type JobContent, jobKey } from './jobKey.ts';
import { releaseMemory } from './releaseMemory.ts';
import type { ResultStore } from './resultStore.ts';
import { type SitePlan, solverOptions } from './selectSites.ts';
import type { SolveTask } from './solveSite.ts';

export interface SolveBlocksRequest {
  readonly model: OnnxModel;
  readonly recipe: Recipe;
  readonly plans: readonly SitePlan[];
  /** Where the hidden state crosses from block to block; null for a graph without blocks. */
  readonly cuts: readonly BlockCut[] | null;
  /** Null when no solver here reads activations. */
  readonly forward: ForwardContext | null;
  readonly executor: Executor;
  readonly results: ResultStore;
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
};

/** One turn of the loop: the sites of a block and where the block begins and ends. */
interface Segment {
  readonly index: number;
  readonly block: number | null;
  readonly cut: BlockCut | null;
  readonly plans: readonly SitePlan[];
}

/**
 * The loop of the pipeline: for each block in order, statistics of its inputs through the already compressed prefix, one
 * job per site, results into the graph and the file. Hidden states pass a compressed block when the next capture needs them.
 *
 * Only one block's weights and Grams are in memory. A finished job is in the result store before the next block begins; the key
 * of a job that reads activations holds the keys of all jobs before it, so a changed prefix is a different job.
 */
export async function solveBlocks(given: SolveBlocksRequest): Promise<SiteReport[]> {
  const { plans, forward, cuts } = given;
  const reach = forward && cuts ? followBlocks(forward, cuts) : async () => undefined;
  const request: SolveRun = { ...given, finished: new Set(), reach };
  const reports: SiteReport[] = [];
  let prefix = '';
  for (const segment of splitSegments(plans, forward ? cuts : null)) {
    const solved = await solveSegment(request, segment, prefix);
    prefix = jobKey([prefix, ...solved.map(site => site.key)]);
    releaseMemory();
    for (const { plan, result, durationMs, onFailure } of solved) {
      checkInterrupted(request.signal);
      await replaceSolved(request, plan, result);
      reports.push({ ...reportOf(plan, result, durationMs), ...(onFailure === undefined ? {} : { onFailure }) });
    }
  }
  return reports;
}

/** What the result store keeps of a job. */
interface FinishedJob {
  readonly result: SolveResult;
  /** What was done because the solver failed; absent when it did not. */
  readonly onFailure?: string;
  readonly durationMs: number;
}

interface SolvedSite extends FinishedJob {
  readonly plan: SitePlan;
  readonly key: string;
}

async function solveSegment(request: SolveRun, segment: Segment, prefix: string): Promise<SolvedSite[]> {
  const { results, origin, forward } = request;
  const keyed = segment.plans.map(plan => ({
    plan,
    key: jobKey({ origin, site: plan.site.name, ...describe(plan), prefix: readsActivations(plan) ? prefix : '' }),
  }));
  const known = await Promise.all(keyed.map(({ key }) => results.load<FinishedJob>(key)));
  const missing = keyed.filter((_, index) => known[index] === null);
  const reading = missing.filter(({ plan }) => readsActivations(plan)).map(({ plan }) => plan.site);
  const statistics = reading.length > 0 && forward ? await capture(request, forward, segment, reading) : new Map();
  const fresh = await runJobs(request, segment, missing, statistics);
  for (const [index, { plan }] of keyed.entries()) if (known[index]) request.finished.add(plan.site.name);
  tell(request, segment, 'write');
  return keyed.map(({ plan, key }, index) => {
    const loaded = known[index];
    return loaded ? { plan, key, ...loaded } : fresh.get(key)!;
  });
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
  return captureBlock(forward, segment.cut, sites, done => tell(request, segment, `capture ${done} of ${runCount}`));
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

/** Reads each weight when a worker is free for it, so that no more weights than workers are in memory. */
async function runJobs(
  request: SolveRun,
  segment: Segment,
  jobs: readonly { readonly plan: SitePlan; readonly key: string }[],
  statistics: ReadonlyMap<string, InputStatistics>,
): Promise<ReadonlyMap<string, SolvedSite>> {
  const results = new Map<string, SolvedSite>();
  // The longest first, so that no worker is left alone with it at the end.
  const queue = jobs.toSorted((left, right) => expectedWork(right.plan) - expectedWork(left.plan));
  const work = async (): Promise<void> => {
    for (let job = queue.shift(); job; job = queue.shift()) {
      checkInterrupted(request.signal);
      const { plan, key } = job;
      const started = performance.now();
      const weight = await readWeight(request.model, plan.site);
      const needed = readsActivations(plan) ? statistics.get(plan.site.inputName)! : null;
      const task = { weight, statistics: needed, solver: plan.solver, options: optionsFor(request.model, plan) };
      const solved = await solveOrRound(request, plan, task);
      const finished: FinishedJob = { ...solved, durationMs: Math.round(performance.now() - started) };
      await request.results.save(key, finished);
      request.finished.add(plan.site.name);
      tell(request, segment, 'solve');
      results.set(key, { plan, key, ...finished });
    }
  };
  const stopOthers = (error: unknown): never => {
    queue.length = 0;
    throw error;
  };
  const workers = Array.from({ length: Math.min(request.executor.threads, jobs.length) }, () =>
    work().catch(stopOthers),
  );
  // Nothing may be saved behind the back of whoever handles the error.
  const failed = (await Promise.allSettled(workers)).find(outcome => outcome.status === 'rejected');
  if (failed) throw failed.reason;
  return results;
}

/** What a weight is rounded to when its solver fails and the recipe asks for that; the report then says so. */
const FALLBACK = 'roundToNearest';

async function solveOrRound(
  request: SolveRun,
  plan: SitePlan,
  task: SolveTask,
): Promise<Omit<FinishedJob, 'durationMs'>> {
  try {
    return { result: await request.executor.solve(task, request.signal) };
  } catch (error) {
    const { code, message } = toErrorRecord(error);
    const isSolvers = code === 'NOT_POSITIVE_DEFINITE' || code === 'SOLVER_FAILED';
    if (!isSolvers || request.recipe.onFailure !== FALLBACK || plan.solver === 'rtn') throw nameSite(error, plan.site);
    request.emit({ kind: 'warning', message: `${plan.site.name} is rounded to nearest: ${message}` });
    const weight = await readWeight(request.model, plan.site);
    const { scaleType = 'auto', symmetric = true } = task.options;
    const options = { bits: plan.bits, groupSize: solverOptions(plan).groupSize!, scaleType, symmetric };
    const rounded = { ...task, weight, solver: 'rtn', options };
    return { result: await request.executor.solve(rounded, request.signal), onFailure: FALLBACK };
  }
}

function optionsFor(model: OnnxModel, plan: SitePlan): SolveTask['options'] {
  const scaleType = scaleTypeFor(activationTypeOf(model, plan.site));
  return { ...solverOptions(plan), ...(scaleType === 'auto' ? {} : { scaleType }) };
}

/** Grows like the multiply-adds of a solver that factorises the Gram and carries errors through the weight. */
function expectedWork({ site: { inFeatures, outFeatures } }: SitePlan): number {
  return inFeatures ** 2 * (inFeatures + outFeatures);
}

/** The same error with the site in front: a solver does not know where its weight stands. */
function nameSite(error: unknown, site: LinearSite): unknown {
  const { code, message, context } = toErrorRecord(error);
  if (code === 'INTERRUPTED') return error;
  return new CompressionError(code, `${site.name}: ${message}`, { ...context, site: site.name }, { cause: error });
}

async function replaceSolved(request: SolveRun, plan: SitePlan, result: SolveResult): Promise<void> {
  const { model, recipe, store } = request;
  const activationType = activationTypeOf(model, plan.site);
  const { accuracyLevel } = recipe;
  await replaceSite(model, { site: plan.site, compressed: result.compressed, accuracyLevel, activationType }, store);
}

function reportOf(plan: SitePlan, result: SolveResult, durationMs: number): SiteReport {
  return {
    name: plan.site.name,
    solver: plan.solver,
    nominalBits: plan.bits,
    groupSize: plan.groupSize,
    storageBits: result.storageBits,
    relativeOutputError: result.relativeOutputError,
    relativeWeightError: result.relativeWeightError,
    durationMs,
  };
}

/** With cuts, one segment a block, also for blocks with nothing to solve: hidden states must pass through them. */
function splitSegments(plans: readonly SitePlan[], cuts: readonly BlockCut[] | null): Segment[] {
  const byBlock = Map.groupBy(plans, plan => plan.site.block);
  if (cuts === null) return [...byBlock].map(([block, own], index) => ({ index, block, cut: null, plans: own }));
  const segments: Segment[] = cuts.map((cut, index) => ({
    index,
    block: cut.block,
    cut,
    plans: byBlock.get(cut.block) ?? [],
  }));
  const beside = byBlock.get(null) ?? [];
  if (beside.length === 0) return segments;
  // The head reads what leaves the last block.
  const last = cuts.at(-1)!;
  const cut = { block: last.block + 1, inputNames: last.outputNames, outputNames: [] };
  return [...segments, { index: cuts.length, block: null, cut, plans: beside }];
}

function describe(plan: SitePlan): { [key: string]: JobContent } {
  return { solver: plan.solver, options: solverOptions(plan) };
}

export function readsActivations(plan: Pick<SitePlan, 'solver'>): boolean {
  return solvers[plan.solver]!.needs !== 'weight';
}
