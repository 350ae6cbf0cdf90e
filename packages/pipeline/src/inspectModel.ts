import { stat } from 'node:fs/promises';
import type { LinearSite } from '@quern/core';
import { dataTypeName, findLinearSites, isQuantized, type ValueInfoProto } from '@quern/onnx';
import { openModel } from './open/openModel.ts';

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
  readonly operators: readonly { readonly name: string; readonly count: number }[];
  readonly sites: readonly LinearSite[];
}

/** What a model is made of, read from its header alone. */
export async function inspectModel(path: string, tokenizer?: string): Promise<Inspection> {
  const opened = await openModel(path, { tokenizer });
  const { proto } = opened.model;
  const graph = proto.graph;
  const counts = new Map<string, number>();
  for (const node of graph?.node ?? []) counts.set(node.opType, (counts.get(node.opType) ?? 0) + 1);
  const elementCounts = (graph?.initializer ?? []).map(tensor => tensor.dims.reduce((n, d) => n * Number(d), 1));
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
    operators: [...counts].sort((a, b) => b[1] - a[1]).map(([name, count]) => ({ name, count })),
    sites: findLinearSites(opened.model),
  };
}

function describeValue(value: ValueInfoProto): { name: string; type: string } {
  const type = value.type?.value;
  if (type?.case !== 'tensorType') return { name: value.name ?? '', type: type?.case ?? 'unknown' };
  const dims = (type.value.shape?.dim ?? []).map(dim => (dim.value.case === undefined ? '?' : String(dim.value.value)));
  return { name: value.name ?? '', type: `${dataTypeName(type.value.elemType ?? 0)}[${dims.join(', ')}]` };
}
