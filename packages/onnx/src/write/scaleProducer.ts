import type { LinearSite } from '@quern/core';
import { isStandard } from '../attributeValue.ts';
import { nodeKey } from '../graphScopes.ts';
import type { OnnxModel } from '../onnxModel.ts';

/**
 * The name of the MatMul whose every output scales one input of a site: the input is that product times something, and nothing
 * else reads either. In a gated feed-forward, up_proj for down_proj. Null when there is none.
 */
export function scaleProducer(model: OnnxModel, site: LinearSite): string | null {
  const graph = model.proto.graph!;
  const soleReader = (name: string): boolean =>
    graph.node.filter(node => node.input.includes(name)).length === 1 &&
    !graph.output.some(output => output.name === name);
  const gate = graph.node.find(node => isStandard(node, 'Mul') && node.output[0] === site.inputName);
  if (!gate || !soleReader(site.inputName)) return null;
  for (const factor of gate.input) {
    const source = graph.node.find(node => node.output.includes(factor));
    if (source && isStandard(source, 'MatMul') && soleReader(factor)) return nodeKey(source);
  }
  return null;
}
