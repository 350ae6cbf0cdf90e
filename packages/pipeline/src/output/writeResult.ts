import { dirname, join } from 'node:path';
import { containerLayout } from '@quern/core';
import { createWeightStore, findLinearSites, writeOnnxModel } from '@quern/onnx';
import type { SiteReport } from '../compressRequest.ts';
import type { CompressRun } from '../run.ts';
import type { EmbeddingReport } from '../solve/compressEmbeddings.ts';
import { groupSizeOf, nominalBitsOf, type SitePlan } from '../solve/sitePlan.ts';
import { solveSites } from '../solve/solveSites.ts';
import { storeAsPlanes } from './packed/storeAsPlanes.ts';
import { writeRest } from './writeRest.ts';

export interface WrittenResult {
  /** Path of the graph. */
  readonly graph: string;
  readonly sites: readonly SiteReport[];
  readonly embeddings: readonly EmbeddingReport[];
  /** What holds the weights, beside the graph. */
  readonly dataFiles: readonly { readonly path: string; readonly bytes: number }[];
  /** Bytes of those files once unpacked; null where they are not packed. */
  readonly containerBytes: number | null;
}

/** Solves every site and writes the whole folder into the run's staging folder. */
export async function writeResult(run: CompressRun): Promise<WrittenResult> {
  const { opened, plans, request, layout, folder, emit } = run;
  const { recipe } = request;
  const { model } = opened;
  const { graphName, dataName } = layout;
  const graphFolder = join(folder.staging, layout.graphFolder);
  const isPlanes = recipe.storage === 'packed-onnx';
  // Planes are made of the containers that the blocks behind were calibrated with.
  const store = createWeightStore({
    folder: isPlanes ? join(dirname(folder.scratch), 'container') : graphFolder,
    fileName: dataName,
  });
  try {
    emit({ kind: 'stage', stage: 'solve', detail: `${plans.length} sites` });
    // Factors of a head that is solved would look like heads.
    const present = new Set(findLinearSites(model).map(site => site.name));
    const sites = await solveSites(run, store);
    emit({ kind: 'stage', stage: 'write', detail: graphName });
    const embeddings = await writeRest(model, recipe, store, present);
    const dataFiles = await store.close();
    const graph = join(graphFolder, graphName);
    const written = { proto: model.proto, folder: store.folder };
    const container: WrittenResult = { graph, sites, embeddings, dataFiles, containerBytes: null };
    const result = isPlanes ? await storeAsPlanes(written, container, { folder: graphFolder, dataName }) : container;
    await writeOnnxModel({ proto: model.proto, folder: graphFolder }, graph);
    await layout.finish(folder.staging, result.dataFiles.length);
    return result;
  } catch (error) {
    await store.abort();
    throw error;
  }
}

/** Bits of the widest container among the solved sites, null when none has codes. */
export function widestContainer(plans: readonly SitePlan[]): number | null {
  const widths = plans.flatMap(plan => {
    const groupSize = groupSizeOf(plan);
    if (groupSize === null) return [];
    const { inFeatures } = plan.site;
    return [containerLayout({ bits: nominalBitsOf(plan), groupSize, inFeatures }).containerBits];
  });
  return widths.length === 0 ? null : Math.max(...widths);
}
