import { DataType, modelTensors, type OnnxModel, tensorSize } from '@quern/onnx';

const HALVES: readonly number[] = [DataType.FLOAT16, DataType.BFLOAT16];

/** Bytes of a model's tensors once a float32 session has opened it: half-precision weights are cast then. */
export function weightBytes(model: OnnxModel): number {
  return modelTensors(model.proto).reduce((sum, tensor) => {
    const { byteCount } = tensorSize(tensor);
    return sum + (byteCount ?? 0) * (HALVES.includes(tensor.dataType) ? 2 : 1);
  }, 0);
}
