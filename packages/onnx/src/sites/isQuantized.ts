import type { NodeProto } from '../generated/onnx_pb.js';
import { graphScopes, indexDefinitions } from '../graphScopes.ts';
import type { OnnxModel } from '../onnxModel.ts';
import { constantTensor } from './traceWeight.ts';

/** Operators whose weights or activations are integers or packed codes already. */
const QUANTIZED_OPERATORS: ReadonlySet<string> = new Set([
  'MatMulNBits',
  'MatMulBnb4',
  'MatMulFpQ4',
  'MatMulInteger',
  'MatMulInteger16',
  'MatMulIntegerToFloat',
  'DynamicQuantizeMatMul',
  'DynamicQuantizeLSTM',
  'DynamicQuantizeLinear',
  'ConvInteger',
  'QLinearMatMul',
  'QLinearConv',
  'QGemm',
  'QAttention',
  'QOrderedMatMul',
  'QOrderedAttention',
  'QEmbedLayerNormalization',
  'QMoE',
  'GatherBlockQuantized',
]);

/**
 * The operator that shows that a model is quantised already, null when there is none. DequantizeLinear counts where it
 * reads a stored tensor.
 */
export function isQuantized(model: OnnxModel): string | null {
  const scopes = graphScopes(model);
  const index = indexDefinitions(scopes);
  for (const scope of scopes) {
    for (const node of scope.graph.node) {
      if (QUANTIZED_OPERATORS.has(node.opType)) return node.opType;
      if (node.opType !== 'DequantizeLinear') continue;
      const source = index.find(scope, node.input[0] ?? '');
      if (source?.kind === 'initializer') return node.opType;
      if (source?.kind === 'node' && constantTensor(source.node)) return node.opType;
    }
  }
  return model.proto.functions.flatMap(({ node }) => node).find(isQuantizedNode)?.opType ?? null;
}

function isQuantizedNode(node: NodeProto): boolean {
  return QUANTIZED_OPERATORS.has(node.opType) || node.opType === 'DequantizeLinear';
}
