import { stat } from 'node:fs/promises';
import type { LinearSite } from '@quern/core';
import {
  canCapture,
  countOperators,
  dataTypeName,
  findBlockCuts,
  findEmbeddings,
  findLinearSites,
  isQuantized,
  modelTensors,
  type ValueInfoProto,
} from '@quern/onnx';
import { openModel } from './open/openModel.ts';

export interface InspectedSite extends LinearSite {
  /** Whether solvers that read activations can be used here. */
  readonly canCapture: boolean;
}

export interface Inspection {
  readonly model: string;
  readonly kind: 'checkpoint' | 'onnx';
  readonly opset: number;
  readonly parameterCount: number;
  readonly bytes: number;
  readonly contextLength: number | null;
  readonly tokenizer: string | null;
  /** The operator that shows that the model is quantised, null when it is not. */
  readonly quantizedBy: string | null;
  readonly inputs: readonly { readonly name: string; readonly type: string }[];
  readonly outputs: readonly { readonly name: string; readonly type: string }[];
  /** Those of sub-graphs included. */
  readonly operators: readonly { readonly name: string; readonly count: number }[];
  readonly embeddings: readonly {
    readonly name: string;
    readonly vocabularySize: number;
    readonly hiddenSize: number;
    /** Whether the head reads the same table. */
    readonly tied: boolean;
  }[];
  /** Blocks that are compressed one after the other; 0 for a graph that is run whole. */
  readonly chainedBlocks: number;
  readonly sites: readonly InspectedSite[];
}

/** What a model is made of, read from its header alone. */
export async function inspectModel(path: string, tokenizer?: string): Promise<Inspection> {
  const opened = await openModel(path, { tokenizer });
  const { proto } = opened.model;
  const graph = proto.graph;
  const elementCounts = modelTensors(proto).map(tensor => tensor.dims.reduce((n, d) => n * Number(d), 1));
  const sites = findLinearSites(opened.model);
  const sizes = await Promise.all(opened.files.map(async file => (await stat(file)).size));
  return {
    model: path,
    kind: opened.kind,
    opset: Number(proto.opsetImport.find(entry => (entry.domain ?? '') === '')?.version ?? 0),
    parameterCount: elementCounts.reduce((sum, count) => sum + count, 0),
    bytes: sizes.reduce((sum, size) => sum + size, 0),
    contextLength: opened.text?.contextLength ?? null,
    tokenizer: opened.tokenizerFolder,
    quantizedBy: isQuantized(opened.model),
    inputs: (graph?.input ?? []).map(describeValue),
    outputs: (graph?.output ?? []).map(describeValue),
    operators: countOperators(opened.model),
    embeddings: findEmbeddings(opened.model).map(({ gatherNode, vocabularySize, hiddenSize, tiedHead }) => ({
      name: gatherNode,
      vocabularySize,
      hiddenSize,
      tied: tiedHead !== null,
    })),
    chainedBlocks: findBlockCuts(opened.model)?.length ?? 0,
    sites: sites.map(site => ({ ...site, canCapture: canCapture(opened.model, site) })),
  };
}

function describeValue(value: ValueInfoProto): { name: string; type: string } {
  const type = value.type?.value;
  if (type?.case !== 'tensorType') return { name: value.name ?? '', type: type?.case ?? 'unknown' };
  const dims = (type.value.shape?.dim ?? []).map(dim => (dim.value.case === undefined ? '?' : String(dim.value.value)));
  return { name: value.name ?? '', type: `${dataTypeName(type.value.elemType ?? 0)}[${dims.join(', ')}]` };
}
