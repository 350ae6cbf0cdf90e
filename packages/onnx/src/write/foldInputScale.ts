import type { LinearSite } from '@quern/core';
import { intOf, isStandard } from '../attributeValue.ts';
import type { GraphProto, NodeProto, TensorProto } from '../generated/onnx_pb.js';
import type { OnnxModel } from '../onnxModel.ts';
import { isFloatType, readFloats } from '../read/readFloats.ts';
import { tensorSize } from '../read/tensorSize.ts';
import { encodeFloats } from './encodeFloats.ts';
import { dropUnused, freshNames } from './graphEdit.ts';
import type { WeightStore } from './weightStore.ts';

/** Norms by operator: where their gain stands, and their bias. */
const NORMS: Readonly<Record<string, { readonly gain: number; readonly bias: number | null }>> = {
  SimplifiedLayerNormalization: { gain: 1, bias: null },
  SkipSimplifiedLayerNormalization: { gain: 2, bias: null },
  RMSNormalization: { gain: 1, bias: null },
  LayerNormalization: { gain: 1, bias: 2 },
  SkipLayerNormalization: { gain: 2, bias: 3 },
};

/**
 * Multiplies the gain of the norm that gives an input by `scale`, in place, so that the sites that read it can do without
 * an input scale. Handles norm operators and a Mul by a stored vector; the vector may be cast and have a number added, as the gains of Gemma,
 * and what the norm gives may be cast. True when it was done; false, with the graph as it was, when something else gives the input or something
 * else reads it.
 *
 * `sites` are those whose nodes still stand in the graph and all take the same scale, `[inFeatures]`.
 *
 * @throws CompressionError as `readFloats`.
 */
export async function foldInputScale(
  model: OnnxModel,
  sites: readonly LinearSite[],
  scale: Float32Array,
  store: WeightStore,
): Promise<boolean> {
  const found = findNorm(model, sites);
  if (found === null) return false;
  const { graph, source, vectors } = found;
  const names = freshNames(model);
  for (const { at, tensor, addend, type } of vectors) {
    const values = await readFloats(model, tensor);
    const added = addend ? (await readFloats(model, addend))[0]! : 0;
    const scaled = values.map((value, index) => (value + added) * scale[index]!);
    const stored = await store.add(
      names.take(`${tensor.name}_scaled`),
      type,
      [scale.length],
      encodeFloats(scaled, type),
    );
    graph.initializer.push(stored);
    const old = source.input[at]!;
    source.input[at] = stored.name;
    dropUnused({ graph, path: '', parent: null }, old);
  }
  return true;
}

/** Whether `foldInputScale` would fold a scale of these sites. */
export function foldsInputScale(model: OnnxModel, sites: readonly LinearSite[]): boolean {
  return findNorm(model, sites) !== null;
}

interface FoundNorm {
  readonly graph: GraphProto;
  readonly source: NodeProto;
  readonly vectors: readonly ScaledVector[];
}

function findNorm(model: OnnxModel, sites: readonly LinearSite[]): FoundNorm | null {
  const graph = model.proto.graph!;
  const { inputName, inFeatures } = sites[0]!;
  const own = new Set(sites.map(({ nodeName }) => nodeName));
  let output = inputName;
  let source = soleSource(graph, output, own);
  if (source && isStandard(source, 'Cast')) {
    output = source.input[0]!;
    source = soleSource(graph, output, new Set([source.name]));
  }
  const vectors = source && scaledVectors(graph, source, output, inFeatures);
  return source && vectors ? { graph, source, vectors } : null;
}

/** The node that gives a value, if exactly the nodes of these names read it. */
function soleSource(graph: GraphProto, value: string, own: ReadonlySet<string>): NodeProto | null {
  if (graph.output.some(({ name }) => name === value)) return null;
  const readers = graph.node.filter(node => node.input.includes(value));
  if (readers.length !== own.size || !readers.every(node => own.has(node.name))) return null;
  return graph.node.find(node => node.output[0] === value) ?? null;
}

interface ScaledVector {
  /** Which input of the node. */
  readonly at: number;
  readonly tensor: TensorProto;
  /** A stored number that the node sees added to every element. */
  readonly addend: TensorProto | null;
  /** Element type that the node sees. */
  readonly type: number;
}

/** The stored vectors of a node by which its output scales; null when it does not scale so. */
function scaledVectors(graph: GraphProto, node: NodeProto, output: string, length: number): ScaledVector[] | null {
  const norm = NORMS[node.opType];
  if (norm && node.output[0] === output) {
    const wanted = [norm.gain, norm.bias].filter(at => at !== null && (node.input[at] ?? '') !== '') as number[];
    const found = wanted.map(at => storedVector(graph, node, at, length));
    return found.every(one => one !== null) ? found : null;
  }
  if (!isStandard(node, 'Mul')) return null;
  const found = storedVector(graph, node, 0, length) ?? storedVector(graph, node, 1, length);
  return found ? [found] : null;
}

/** An input of a node that is an initializer of one dimension, directly or through Cast, and through Add of a number. */
function storedVector(graph: GraphProto, node: NodeProto, at: number, length: number): ScaledVector | null {
  const add = graph.node.find(other => isStandard(other, 'Add') && other.output[0] === node.input[at]);
  const addend = add ? (graph.initializer.find(other => other.name === add.input[1]) ?? null) : null;
  if (add && (!addend || tensorSize(addend).elementCount !== 1 || !isFloatType(addend.dataType))) return null;
  const name = add ? add.input[0] : node.input[at];
  const cast = graph.node.find(other => isStandard(other, 'Cast') && other.output[0] === name);
  const tensor = graph.initializer.find(other => other.name === (cast ? cast.input[0] : name));
  const fits = tensor?.dims.length === 1 && tensor.dims[0] === BigInt(length);
  if (!tensor || !fits || !isFloatType(tensor.dataType)) return null;
  return { at, tensor, addend, type: cast ? intOf(cast, 'to', 0) : tensor.dataType };
}
