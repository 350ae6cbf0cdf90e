import type { LinearSite } from '@quern/core';
import { intOf, isStandard } from '../attributeValue.ts';
import type { GraphProto, NodeProto } from '../generated/onnx_pb.js';
import { nodeKey } from '../graphScopes.ts';
import type { OnnxModel } from '../onnxModel.ts';

/** A product, and which of its outputs scale the inputs of a site. */
export interface ScaleProducer {
  readonly nodeName: string;
  /** The output that scales the site's first input; those after it follow. */
  readonly firstOutput: number;
}

/**
 * The MatMul whose outputs each scale one input of a site: the input is that product, or a part of it that Split gives, times something,
 * and nothing else reads either. In a gated feed-forward, up_proj for down_proj. Null when there is none.
 */
export function scaleProducer(model: OnnxModel, site: LinearSite): ScaleProducer | null {
  const graph = model.proto.graph!;
  const soleReader = (name: string): boolean =>
    graph.node.filter(node => node.input.includes(name)).length === 1 &&
    !graph.output.some(output => output.name === name);
  const sourceOf = (name: string): NodeProto | undefined => graph.node.find(node => node.output.includes(name));
  const gate = sourceOf(site.inputName);
  if (!gate || !isStandard(gate, 'Mul') || !soleReader(site.inputName)) return null;
  for (const factor of gate.input) {
    const source = sourceOf(factor);
    if (!source || !soleReader(factor)) continue;
    if (isStandard(source, 'MatMul')) return { nodeName: nodeKey(source), firstOutput: 0 };
    const whole = isStandard(source, 'Split') ? sourceOf(source.input[0]!) : undefined;
    if (!whole || !isStandard(whole, 'MatMul') || !soleReader(source.input[0]!)) continue;
    const sizes = splitSizes(graph, source);
    const part = source.output.indexOf(factor);
    if (!sizes || sizes[part] !== site.inFeatures) continue;
    return { nodeName: nodeKey(whole), firstOutput: sizes.slice(0, part).reduce((sum, size) => sum + size, 0) };
  }
  return null;
}

/** The sizes that a Split along the last axis has in the header; null for any other. */
function splitSizes(graph: GraphProto, split: NodeProto): number[] | null {
  const tensor = graph.initializer.find(({ name }) => name === split.input[1]);
  if (!tensor || intOf(split, 'axis', 0) !== -1) return null;
  const bytes = new Uint8Array(tensor.rawData);
  const sizes = bytes.length > 0 ? [...new BigInt64Array(bytes.buffer)] : [...tensor.int64Data];
  return sizes.length === split.output.length ? sizes.map(Number) : null;
}
