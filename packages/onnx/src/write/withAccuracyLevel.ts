import { attribute } from '../build/attribute.ts';
import { graphScopes } from '../graphScopes.ts';
import type { OnnxModel } from '../onnxModel.ts';
import { cloneModel } from './cloneModel.ts';

/**
 * A copy of a model in which every MatMulNBits has this accuracy level: 0 computes in float32, which scores the stored
 * weights exactly; 4 rounds activations to 8 bits. Tensors are shared with the original.
 */
export function withAccuracyLevel(model: OnnxModel, level: number): OnnxModel {
  const result = cloneModel(model);
  for (const { graph } of graphScopes(result)) {
    for (const node of graph.node) {
      if (node.opType !== 'MatMulNBits') continue;
      node.attribute = node.attribute.filter(({ name }) => name !== 'accuracy_level');
      node.attribute.push(attribute('accuracy_level', { int: level }));
    }
  }
  return result;
}
