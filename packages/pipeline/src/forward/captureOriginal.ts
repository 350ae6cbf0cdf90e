import type { InputStatistics, LinearSite } from '@quern/core';
import { CompressionError } from '@quern/core';
import type { BlockCut } from '@quern/onnx';
import type { Emit } from '../events.ts';
import { type JobContent, jobKey } from '../solve/jobKey.ts';
import { releaseMemory } from '../solve/releaseMemory.ts';
import type { ResultStore } from '../solve/resultStore.ts';
import type { SitePlan } from '../solve/sitePlan.ts';
import { splitSegments } from '../solve/splitSegments.ts';
import { captureBlock, type ForwardContext } from './blockForward.ts';
import { followBlocks } from './followBlocks.ts';

export interface CaptureRun {
  readonly forward: ForwardContext;
  readonly cuts: readonly BlockCut[] | null;
  /** Receives one result for each shared input. */
  readonly results: ResultStore;
  /** What the statistics are made from. */
  readonly origin: JobContent;
  readonly emit: Emit;
}

/**
 * Runs the calibration once through the model as it is and keeps the statistics of every input that the plans' sites read in
 * the result store. Inputs that are there already are not captured again. Returns what reads them back.
 *
 * Cost: one forward pass and one Gram for each shared input; one block's Grams in memory; 8 inFeatures^2 bytes an input on disk.
 */
export async function captureOriginal(
  { forward, cuts, results, origin, emit }: CaptureRun,
  plans: readonly SitePlan[],
): Promise<(plan: SitePlan) => Promise<InputStatistics | null>> {
  const keyOf = (inputName: string): string => jobKey({ origin, statistics: inputName });
  const reach = cuts ? followBlocks(forward, cuts) : async () => undefined;
  const { runCount } = forward.inputs;
  let done = 0;
  for (const segment of splitSegments(plans, cuts)) {
    const own = segment.plans.map(plan => plan.site);
    const missing: LinearSite[] = [];
    for (const [inputName, readers] of Map.groupBy(own, site => site.inputName)) {
      if (!(await results.load(keyOf(inputName)))) missing.push(...readers);
    }
    const tell = (detail?: string): void =>
      emit({
        kind: 'progress',
        stage: 'capture',
        done,
        total: plans.length,
        unit: 'sites',
        ...(detail === undefined ? {} : { detail }),
      });
    if (missing.length > 0) {
      await reach(segment.index);
      const place = segment.block === null ? 'beside the blocks' : `block ${segment.block + 1}`;
      const onRun = (run: number): void => tell(`${place}: window batch ${run} of ${runCount}`);
      const statistics = await captureBlock(forward, segment.cut, missing, onRun);
      for (const [inputName, own] of statistics) await results.save(keyOf(inputName), own);
    }
    releaseMemory(own.reduce((sum, { inFeatures }) => sum + 8 * inFeatures ** 2, 0));
    done += own.length;
    tell();
  }
  const captured = new Set(plans.map(plan => plan.site.inputName));
  return async ({ site }) => {
    if (!captured.has(site.inputName)) return null;
    const statistics = await results.load<InputStatistics>(keyOf(site.inputName));
    if (statistics) return statistics;
    throw new CompressionError('INTERNAL', `The statistics of ${site.name} are gone from the run folder.`);
  };
}
