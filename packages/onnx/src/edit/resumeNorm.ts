import { clone } from '@bufbuild/protobuf';
import { attribute } from '../build/attribute.ts';
import { type NodeProto, NodeProtoSchema } from '../generated/onnx_pb.js';
import { normSum } from './normSum.ts';

/** The norm that remains of a fused one when its sum is given. */
const RESUMED: Readonly<Record<string, string>> = {
  SkipSimplifiedLayerNormalization: 'SimplifiedLayerNormalization',
  SkipLayerNormalization: 'LayerNormalization',
};
/** What ONNX Runtime takes for fused norms that name no epsilon; the others' default is another. */
const FUSED_EPSILON = 1e-12;

/** The norm alone, for a fused norm whose sum (`normSum`) is at hand: it reads the sum. The node given stays as it is. */
export function resumeNorm(node: NodeProto): NodeProto {
  const resumed = clone(NodeProtoSchema, node);
  const [, , gain = '', bias = ''] = node.input;
  const hasBias = node.opType === 'SkipLayerNormalization' && bias !== '';
  resumed.opType = RESUMED[node.opType]!;
  resumed.domain = '';
  resumed.input = [normSum(node)!, gain, ...(hasBias ? [bias] : [])];
  resumed.output = [node.output[0]!];
  if (!resumed.attribute.some(({ name }) => name === 'epsilon')) {
    resumed.attribute.push(attribute('epsilon', { float: FUSED_EPSILON }));
  }
  return resumed;
}
