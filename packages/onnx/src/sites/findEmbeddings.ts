import { CompressionError, type LinearSite } from '@quern/core';
import { intOf, isStandard } from '../attributeValue.ts';
import type { NodeProto } from '../generated/onnx_pb.js';
import { type DefinitionIndex, type GraphScope, graphScopes, indexDefinitions, nodeKey } from '../graphScopes.ts';
import type { OnnxModel } from '../onnxModel.ts';
import { findLinearSites } from './findLinearSites.ts';
import { type TracedWeight, traceWeight } from './traceWeight.ts';

/** A table of token embeddings and the Gather that reads it. */
export interface EmbeddingSite {
  /** Name of the Gather node, or its first output where it has none. */
  readonly gatherNode: string;
  readonly weightName: string;
  /** Rows of the table. */
  readonly vocabularySize: number;
  /** Columns of the table. */
  readonly hiddenSize: number;
  /** The head that multiplies by the same stored table, `[vocabularySize, hiddenSize]`; null when none does. */
  readonly tiedHead: LinearSite | null;
}

/** An embedding as it stands in the graph. */
export interface ScannedEmbedding {
  readonly scope: GraphScope;
  readonly node: NodeProto;
  readonly weight: TracedWeight;
}

/**
 * Finds the token embeddings of the main graph: Gathers of rows of a stored float table by token ids. Tables indexed by
 * positions, types or masks are left out.
 */
export function findEmbeddings(model: OnnxModel): EmbeddingSite[] {
  const linear = findLinearSites(model);
  return scanEmbeddings(model).map(({ node, weight }) => {
    const [rows, columns] = weight.tensor.dims.map(Number) as [number, number];
    const tiedHead = linear.find(
      site => site.weightName === weight.name && site.outFeatures === rows && site.inFeatures === columns,
    );
    return {
      gatherNode: nodeKey(node),
      weightName: weight.name,
      vocabularySize: rows,
      hiddenSize: columns,
      tiedHead: tiedHead ?? null,
    };
  });
}

/** The same, as graph nodes. */
export function scanEmbeddings(model: OnnxModel): ScannedEmbedding[] {
  const scopes = graphScopes(model);
  const scope = scopes[0];
  if (!scope) return [];
  const index = indexDefinitions(scopes);
  return scope.graph.node.flatMap(node => {
    if (!isStandard(node, 'Gather') || intOf(node, 'axis', 0) !== 0) return [];
    const weight = traceWeight(index, scope, node.input[0] ?? '');
    if (!weight || weight.transposed || !readsTokens(index, scope, node.input[1] ?? '')) return [];
    return [{ scope, node, weight }];
  });
}

/**
 * Finds an embedding's Gather again by its name.
 *
 * @throws CompressionError MISSING_TENSOR when the graph holds no such embedding.
 */
export function locateEmbedding(model: OnnxModel, gatherNode: string): ScannedEmbedding {
  const found = scanEmbeddings(model).find(({ node }) => nodeKey(node) === gatherNode);
  if (found) return found;
  const message = `The graph holds no embedding "${gatherNode}". It was replaced, or the name is of another node.`;
  throw new CompressionError('MISSING_TENSOR', message, { gatherNode });
}

const SHAPE_ONLY: ReadonlySet<string> = new Set(['Cast', 'Identity', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze']);

/** Whether indices are a graph input that holds token ids, but for casts and changes of shape. */
function readsTokens(index: DefinitionIndex, scope: GraphScope, indices: string): boolean {
  let name = indices;
  const visited = new Set<NodeProto>();
  for (;;) {
    const definition = index.find(scope, name);
    if (definition?.kind === 'input') return !/position|segment|type|mask|cache|past/i.test(name);
    if (definition?.kind !== 'node' || !SHAPE_ONLY.has(definition.node.opType) || visited.has(definition.node))
      return false;
    visited.add(definition.node);
    name = definition.node.input[0] ?? '';
  }
}
