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
import type { ForwardInput } from '@quern/runtime';
import picomatch from 'picomatch';
import type { SiteReport } from '../compressRequest.ts';
import type { ForwardContext } from '../forward/blockForward.ts';
import { createHiddenStates } from '../forward/hiddenStates.ts';
import type { PreparedText } from '../open/prepareText.ts';
import type { CompressRun } from '../run.ts';
import { compressEmbeddings, type EmbeddingReport } from '../solve/compressEmbeddings.ts';
import { createExecutor } from '../solve/createExecutor.ts';
import { solveBlocks } from '../solve/solveBlocks.ts';
import { transformersjsDtype, transformersjsGraphName, writeTransformersjsLayout } from './transformersjsLayout.ts';

export interface WrittenResult {
  /** Path of the graph. */
  readonly graph: string;
  readonly dtype: string;
  readonly sites: readonly SiteReport[];
  readonly embeddings: readonly EmbeddingReport[];
  readonly dataFiles: readonly { readonly path: string; readonly bytes: number }[];
}

/** Windows whose Gram is summed in single precision before it is added in double. */
const CHUNK_WINDOWS = 8;
/** Hidden states beyond this many bytes go to files. */
const HIDDEN_MEMORY_BYTES = 256e6;

/** Solves every site and writes the whole folder into the run's staging folder. */
export async function writeResult(run: CompressRun): Promise<WrittenResult> {
  const { opened, plans, request, folder, emit } = run;
  const { recipe } = request;
  const { model } = opened;
  const dtype = transformersjsDtype(widestContainer(run), recipe.dtype);
  const graphName = transformersjsGraphName(dtype);
  const onnxFolder = join(folder.staging, 'onnx');
  const store = createWeightStore({ folder: onnxFolder, fileName: `${graphName}_data` });
  try {
    emit({ kind: 'stage', stage: 'solve', detail: `${plans.length} sites` });
    const sites = await solveAll(run, model, store);
    emit({ kind: 'stage', stage: 'write', detail: graphName });
    const isExcluded = recipe.exclude.length > 0 ? picomatch([...recipe.exclude]) : () => false;
    const embeddings = recipe.method === 'none' ? [] : await compressEmbeddings(model, recipe, store, isExcluded);
    await copyRemaining(model, store, { fold: recipe.method === 'none' || recipe.dtype === 'fp16' });
    const dataFiles = await store.close();
    const graph = join(onnxFolder, graphName);
    await writeOnnxModel({ proto: model.proto, folder: onnxFolder }, graph);
    const source = opened.tokenizerFolder;
    await writeTransformersjsLayout({ source, target: folder.staging, dtype, chunkCount: dataFiles.length });
    return { graph, dtype, sites, embeddings, dataFiles };
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

function forwardContext(run: CompressRun, model: OnnxModel, store: WeightStore, text: PreparedText): ForwardContext {
  const { device, signal, folder } = run;
  return {
    model,
    chunks: toChunks(text),
    localize: submodel => openWhileWriting(submodel, store),
    hidden: createHiddenStates(folder.scratch, HIDDEN_MEMORY_BYTES),
    device,
    signal,
  };
}

function toChunks(text: PreparedText): ForwardInput[] {
  const chunks: ForwardInput[] = [];
  for (let start = 0; start < text.windows.length; start += CHUNK_WINDOWS) {
    const ids = text.windows.slice(start, start + CHUNK_WINDOWS).map(window => window.ids);
    chunks.push({ kind: 'text', ids });
  }
  return chunks;
}

/** Bits of the widest container among the solved sites, null when nothing is solved. */
function widestContainer({ plans }: CompressRun): number | null {
  if (plans.length === 0) return null;
  return Math.max(...plans.map(plan => containerLayout({ ...plan, inFeatures: plan.site.inFeatures }).containerBits));
}
