import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { containerLayout } from '@quern/core';
import { chooseEngine } from '@quern/linalg';
import {
  copyRemaining,
  createWeightStore,
  type OnnxModel,
  openWhileWriting,
  type WeightStore,
  writeOnnxModel,
} from '@quern/onnx';
import picomatch from 'picomatch';
import type { SiteReport } from '../compressRequest.ts';
import type { ForwardContext } from '../forward/blockForward.ts';
import { calibrationInputs } from '../forward/calibrationInputs.ts';
import { createHiddenStates } from '../forward/hiddenStates.ts';
import type { Material } from '../open/material.ts';
import type { CompressRun } from '../run.ts';
import { compressEmbeddings, type EmbeddingReport } from '../solve/compressEmbeddings.ts';
import { createExecutor } from '../solve/createExecutor.ts';
import type { SitePlan } from '../solve/selectSites.ts';
import { solveBlocks } from '../solve/solveBlocks.ts';

export interface WrittenResult {
  /** Path of the graph. */
  readonly graph: string;
  readonly sites: readonly SiteReport[];
  readonly embeddings: readonly EmbeddingReport[];
  readonly dataFiles: readonly { readonly path: string; readonly bytes: number }[];
}

/** Hidden states beyond this many bytes go to files. */
const HIDDEN_MEMORY_BYTES = 256e6;

/** Solves every site and writes the whole folder into the run's staging folder. */
export async function writeResult(run: CompressRun): Promise<WrittenResult> {
  const { opened, plans, request, layout, folder, emit } = run;
  const { recipe } = request;
  const { model } = opened;
  const { graphName, dataName } = layout;
  const graphFolder = join(folder.staging, layout.graphFolder);
  const store = createWeightStore({ folder: graphFolder, fileName: dataName });
  try {
    emit({ kind: 'stage', stage: 'solve', detail: `${plans.length} sites` });
    const sites = await solveAll(run, model, store);
    emit({ kind: 'stage', stage: 'write', detail: graphName });
    const isExcluded = recipe.exclude.length > 0 ? picomatch([...recipe.exclude]) : () => false;
    const embeddings = recipe.method === 'none' ? [] : await compressEmbeddings(model, recipe, store, isExcluded);
    await copyRemaining(model, store, { fold: recipe.method === 'none' || recipe.dtype === 'fp16' });
    const dataFiles = await store.close();
    const graph = join(graphFolder, graphName);
    await writeOnnxModel({ proto: model.proto, folder: graphFolder }, graph);
    await layout.finish(folder.staging, dataFiles.length);
    return { graph, sites, embeddings, dataFiles };
  } catch (error) {
    await store.abort();
    throw error;
  }
}

async function solveAll(run: CompressRun, model: OnnxModel, store: WeightStore): Promise<SiteReport[]> {
  const { request, plans, cuts, results, origin, calibration, emit, signal } = run;
  if (plans.length === 0) return [];
  const executor = createExecutor(request.threads);
  const forward = calibration ? forwardContext(run, model, store, calibration) : null;
  // Grams are summed here, on all cores; workers use one thread each. Sums do not depend on it.
  if (forward) await chooseEngine({ threads: availableParallelism() });
  try {
    const { recipe } = request;
    return await solveBlocks({ model, recipe, plans, cuts, forward, executor, results, origin, store, emit, signal });
  } finally {
    await executor.close();
    await forward?.hidden.close();
  }
}

function forwardContext(run: CompressRun, model: OnnxModel, store: WeightStore, material: Material): ForwardContext {
  const { device, signal, folder } = run;
  return {
    model,
    inputs: calibrationInputs(material),
    localize: submodel => openWhileWriting(submodel, store),
    hidden: createHiddenStates(folder.scratch, HIDDEN_MEMORY_BYTES),
    device,
    signal,
  };
}

/** Bits of the widest container among the solved sites, null when nothing is solved. */
export function widestContainer(plans: readonly SitePlan[]): number | null {
  if (plans.length === 0) return null;
  return Math.max(...plans.map(plan => containerLayout({ ...plan, inFeatures: plan.site.inFeatures }).containerBits));
}
