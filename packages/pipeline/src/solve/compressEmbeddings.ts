import type { LinearSite } from '@quern/core';
import {
  activationTypeOf,
  findEmbeddings,
  findLinearSites,
  isEntrywise,
  type OnnxModel,
  openEmbedding,
  openWeight,
  replaceEmbedding,
  replaceHead,
  type StoredRows,
  type WeightStore,
} from '@quern/onnx';
import { roundRows } from '@quern/solvers';
import { rowsPerSlice } from '../forward/rowsPerSlice.ts';
import { readsText } from '../open/readsText.ts';
import type { Recipe } from '../recipe.ts';

/** Inputs that share a scale in embedding and head: 8.5 stored bits at 8 bits, and every kernel reads it. */
const GROUP_SIZE = 32;

export interface EmbeddingReport {
  readonly name: string;
  readonly nominalBits: number;
  /** Whether a head reads the same stored bytes. */
  readonly tied: boolean;
}

export interface EmbeddingChoice {
  readonly isExcluded: (name: string) => boolean;
  /** Names of the sites that a head can be one of: those of the model before anything was solved. */
  readonly heads: ReadonlySet<string>;
  /** Bytes of a table, in float32, that are in memory at once; see `rowsPerSlice`. */
  readonly sliceBytes?: number;
}

/**
 * Rounds embeddings and the head of a text decoder to `recipe.headBits`; a tied pair keeps sharing its bytes. Sites that
 * the recipe excludes stay as they are. Returns what was replaced. Cost: 32 MB of a table at a time, and its scales.
 */
export async function compressEmbeddings(
  model: OnnxModel,
  recipe: Recipe,
  store: WeightStore,
  { isExcluded, heads, sliceBytes }: EmbeddingChoice,
): Promise<EmbeddingReport[]> {
  if (recipe.headBits === 16) return [];
  const options = { bits: recipe.headBits, groupSize: GROUP_SIZE, symmetric: true, shrinkSearch: false };
  const round = (weight: StoredRows, groupSize: number, activationType: 'float32' | 'float16') =>
    roundRows(
      weight,
      { ...options, groupSize, scaleType: scaleTypeFor(activationType) },
      rowsPerSlice(weight.columns, sliceBytes),
    );
  const { accuracyLevel } = recipe;
  const computeType = recipe.dtype === 'fp16' ? 'float16' : 'float32';
  const reports: EmbeddingReport[] = [];
  const embeddings = findEmbeddings(model);
  for (const embedding of embeddings) {
    const { gatherNode, tiedHead, hiddenSize } = embedding;
    if (isExcluded(gatherNode) || (tiedHead && isExcluded(tiedHead.name))) continue;
    const activationType = tiedHead ? activationTypeOf(model, tiedHead) : computeType;
    const groupSize = Math.min(GROUP_SIZE, hiddenSize);
    const compressed = await round(openEmbedding(model, embedding), groupSize, activationType);
    await replaceEmbedding(model, { gatherNode, compressed, tiedHead, accuracyLevel, activationType }, store);
    reports.push({ name: gatherNode, nominalBits: recipe.headBits, tied: tiedHead !== null });
  }
  if (embeddings.length === 0 && !readsText(model)) return reports;
  for (const site of findLinearSites(model)) {
    if (site.block !== null || !heads.has(site.name) || isExcluded(site.name)) continue;
    if (!isHead(model, site.nodeName) && !isRotation(site)) continue;
    const activationType = activationTypeOf(model, site);
    const groupSize = Math.min(GROUP_SIZE, site.inFeatures);
    const compressed = await round(openWeight(model, site), groupSize, activationType);
    await replaceHead(model, { site, compressed, accuracyLevel, activationType }, store);
    reports.push({ name: site.name, nominalBits: recipe.headBits, tied: false });
  }
  return reports;
}

/** A half-precision graph has no place for float32 scales. */
export function scaleTypeFor(activationType: 'float32' | 'float16'): 'auto' | 'float16' {
  return activationType === 'float16' ? 'float16' : 'auto';
}

/** The square matrix before a tied head that `rotateDecoder` puts there. */
function isRotation({ name }: Pick<LinearSite, 'name'>): boolean {
  return name === 'model.norm.rotation';
}

/** Whether a node's product is the logits, directly or through a bias and what works entry by entry. */
function isHead(model: OnnxModel, nodeName: string): boolean {
  const graph = model.proto.graph;
  const outputs = new Set((graph?.output ?? []).map(output => output.name ?? ''));
  const head = graph?.node.find(node => node.name === nodeName || (!node.name && node.output[0] === nodeName));
  for (let name = head?.output[0]; name !== undefined; ) {
    if (outputs.has(name)) return true;
    const current: string = name;
    const reader = graph?.node.find(node => node.input.includes(current));
    name = reader && (reader.opType === 'Add' || isEntrywise(graph!, reader)) ? reader.output[0] : undefined;
  }
  return false;
}
