import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { toErrorRecord } from '@quern/core';
import { cloneModel, findBlockCuts, findLinearSites } from '@quern/onnx';
import type { SiteReport } from '../compressRequest.ts';
import { openModel } from '../open/openModel.ts';
import type { OutputLayout } from '../output/outputLayout.ts';
import { packResult } from '../output/packed/packResult.ts';
import { writeResult } from '../output/writeResult.ts';
import type { Recipe } from '../recipe.ts';
import type { CompressRun } from '../run.ts';
import { selectSites } from '../solve/selectSites.ts';
import type { SitePlan } from '../solve/sitePlan.ts';

/** What rows share. `opened` is the original and is never changed. */
export type SharedRun = Omit<CompressRun, 'plans' | 'cuts' | 'layout'>;

export interface WrittenRow<Measured> {
  readonly plans: readonly SitePlan[];
  /** Empty for a row that failed. */
  readonly sites: readonly SiteReport[];
  readonly measured: Measured | null;
  /** Why the method fails on this model; null when it does not. */
  readonly failure: string | null;
}

/** Files of a row lie side by side: they are measured and removed. */
const layout: OutputLayout = {
  graphFolder: '',
  graphName: 'model.onnx',
  dataName: 'model.onnx_data',
  finish: async () => undefined,
};

/**
 * Compresses the model as one recipe says, writes it, has the written graph measured, and removes it. A method that fails on this model
 * gives a row that says so.
 */
export async function writeRow<Measured>(
  run: SharedRun,
  recipe: Recipe,
  measure: (graph: string, row: CompressRun) => Promise<Measured>,
): Promise<WrittenRow<Measured>> {
  const { request, folder } = run;
  // The graph is rewritten: every row begins with one of its own.
  const own = request.recipe.rotate
    ? { ...run.opened, model: cloneModel(run.opened.model) }
    : await openModel(request.model, { tokenizer: request.tokenizer, dtype: request.recipe.dtype });
  const plans = selectSites(findLinearSites(own.model), recipe);
  const staging = join(folder.staging, 'row');
  await mkdir(staging, { recursive: true });
  try {
    const row: CompressRun = {
      ...run,
      request: { ...request, recipe },
      opened: own,
      plans,
      cuts: findBlockCuts(own.model),
      layout,
      folder: { ...folder, staging },
    };
    const written = await writeResult(row);
    const measured = await measure(written.graph, row);
    const stored = await packResult(row, written);
    return { plans, sites: stored.sites, measured, failure: null };
  } catch (error) {
    const { code, message } = toErrorRecord(error);
    if (code !== 'SOLVER_FAILED' && code !== 'NOT_POSITIVE_DEFINITE') throw error;
    run.emit({ kind: 'warning', message: `${recipe.method}: ${message}` });
    return { plans, sites: [], measured: null, failure: message };
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}
