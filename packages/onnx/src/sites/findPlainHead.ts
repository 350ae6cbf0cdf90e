import { isStandard } from '../attributeValue.ts';
import { DataType } from '../dataType.ts';
import type { TensorProto } from '../generated/onnx_pb.js';
import type { OnnxModel } from '../onnxModel.ts';
import { isExternal } from '../read/tensorSize.ts';
import { scanSites } from './scanSites.ts';

/** A head that is one product with rows of a file: logits = x W^T. */
export interface PlainHead {
  /** W `[vocabularySize, hiddenSize]`, external. */
  readonly tensor: TensorProto;
  /** The activation x that the product reads. */
  readonly inputName: string;
}

/**
 * The head of a decoder where `logits` is the product of one activation with a float matrix stored row by row, without bias or
 * factor, in float32: then a part of the vocabulary needs a part of the file only. Null for any other head.
 */
export function findPlainHead(model: OnnxModel, logits: string): PlainHead | null {
  const nodes = model.proto.graph?.node ?? [];
  const last = nodes.find(node => node.output[0] === logits);
  for (const { scope, node, weight, storedByOutput, alpha, inputTransposed } of scanSites(model)) {
    if (scope.parent !== null || node !== last) continue;
    const isPlain = storedByOutput && alpha === 1 && !inputTransposed && !(isStandard(node, 'Gemm') && node.input[2]);
    if (!isPlain || weight.dataType !== DataType.FLOAT || !isExternal(weight.tensor)) return null;
    return { tensor: weight.tensor, inputName: node.input[0]! };
  }
  return null;
}
