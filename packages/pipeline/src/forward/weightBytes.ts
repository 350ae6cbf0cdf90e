import { DataType, modelTensors, type OnnxModel, type TensorProto, tensorSize } from '@quern/onnx';

/**
 * About what a model's tensors take once a float32 session has opened it, in bytes: half-precision weights are cast then; n-bit kernels
 * keep a packed copy of their codes, and some of them floats of a whole matrix.
 */
export function weightBytes(model: OnnxModel): number {
  return modelTensors(model.proto).reduce(
    (sum, tensor) => sum + growth(tensor) * (tensorSize(tensor).byteCount ?? 0),
    0,
  );
}

function growth({ dataType }: TensorProto): number {
  if (dataType === DataType.FLOAT16 || dataType === DataType.BFLOAT16) return 2;
  return dataType === DataType.UINT8 ? 4 : 1;
}
