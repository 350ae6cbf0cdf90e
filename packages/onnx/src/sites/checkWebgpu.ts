import { CompressionError } from '@quern/core';
import { floatOf } from '../attributeValue.ts';
import type { OnnxModel } from '../onnxModel.ts';

/**
 * Throws UNSUPPORTED_MODEL for a graph that WebGPU would compute wrong without a word: its GroupQueryAttention of ONNX Runtime 1.30 passes
 * over `softcap`. `instead` is the next step, such as `say --device cpu`.
 */
export function checkWebgpu({ proto, folder }: OnnxModel, instead: string): void {
  const bounded = proto.graph?.node.find(
    node => node.opType === 'GroupQueryAttention' && floatOf(node, 'softcap', 0) > 0,
  );
  if (!bounded) return;
  throw new CompressionError(
    'UNSUPPORTED_MODEL',
    `The model in ${folder} bounds the scores of attention (softcap of ${bounded.name}), which the WebGPU kernel passes over, to other results: ${instead}.`,
    { folder, node: bounded.name },
  );
}
