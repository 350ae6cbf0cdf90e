import { join } from 'node:path';
import { containerLayout } from '@quern/core';
import { copyRemaining, createWeightStore, findLinearSites, writeOnnxModel } from '@quern/onnx';
import picomatch from 'picomatch';
import type { SiteReport } from '../compressRequest.ts';
import type { CompressRun } from '../run.ts';
import { compressEmbeddings, type EmbeddingReport } from '../solve/compressEmbeddings.ts';
import { groupSizeOf, nominalBitsOf, type SitePlan } from '../solve/sitePlan.ts';
import { solveSites } from '../solve/solveSites.ts';

export interface WrittenResult {
  /** Path of the graph. */
  readonly graph: string;
  readonly sites: readonly SiteReport[];
  readonly embeddings: readonly EmbeddingReport[];
  readonly dataFiles: readonly { readonly path: string; readonly bytes: number }[];
}

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
    // Factors of a head that is solved would look like heads.
    const present = new Set(findLinearSites(model).map(site => site.name));
    const sites = await solveSites(run, store);
    emit({ kind: 'stage', stage: 'write', detail: graphName });
    const isExcluded = recipe.exclude.length > 0 ? picomatch([...recipe.exclude]) : () => false;
    const embeddings =
      recipe.method === 'none' ? [] : await compressEmbeddings(model, recipe, store, { isExcluded, heads: present });
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
