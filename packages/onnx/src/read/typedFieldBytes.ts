import { DataType, elementBits } from '../dataType.ts';
import type { TensorProto } from '../generated/onnx_pb.js';

/** The raw little-endian bytes of a tensor that keeps its values in a typed field such as `float_data`. */
export function typedFieldBytes(tensor: TensorProto): Uint8Array<ArrayBuffer> {
  switch (tensor.dataType) {
    case DataType.FLOAT:
    case DataType.COMPLEX64:
      return new Uint8Array(Float32Array.from(tensor.floatData).buffer);
    case DataType.DOUBLE:
    case DataType.COMPLEX128:
      return new Uint8Array(Float64Array.from(tensor.doubleData).buffer);
    case DataType.INT64:
      return new Uint8Array(BigInt64Array.from(tensor.int64Data).buffer);
    case DataType.UINT64:
      return new Uint8Array(BigUint64Array.from(tensor.uint64Data).buffer);
    case DataType.UINT32:
      return new Uint8Array(Uint32Array.from(tensor.uint64Data, Number).buffer);
    default:
      return integerBytes(tensor.int32Data, elementBits(tensor.dataType) ?? 32);
  }
}

/** `int32_data` holds every narrower type, floats of 16 and 8 bits as their bit patterns. */
function integerBytes(values: readonly number[], bits: number): Uint8Array<ArrayBuffer> {
  if (bits === 32) return new Uint8Array(Int32Array.from(values).buffer);
  if (bits === 16) return new Uint8Array(Uint16Array.from(values).buffer);
  return Uint8Array.from(values);
}
