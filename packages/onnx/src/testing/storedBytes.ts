import { elementBits } from '../dataType.ts';
import type { TensorProto } from '../generated/onnx_pb.js';

/** Bytes that tensors take, from their shapes, wherever they lie. For tests. */
export function storedBytes(tensors: readonly TensorProto[]): number {
  return tensors.reduce((sum, { dims, dataType }) => {
    return sum + Math.ceil((dims.reduce((product, size) => product * Number(size), 1) * elementBits(dataType)!) / 8);
  }, 0);
}
