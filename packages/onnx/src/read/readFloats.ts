import { CompressionError } from '@quern/core';
import { DataType, dataTypeName } from '../dataType.ts';
import type { TensorProto } from '../generated/onnx_pb.js';
import type { OnnxModel } from '../onnxModel.ts';
import { readTensor } from './readTensor.ts';

/**
 * Reads a tensor of float32, float16, bfloat16 or float64 as float32. The result owns its buffer.
 *
 * @throws CompressionError UNSUPPORTED_MODEL for other element types; otherwise as `readTensor`.
 */
export async function readFloats(model: OnnxModel, tensor: TensorProto): Promise<Float32Array<ArrayBuffer>> {
  if (!isFloatType(tensor.dataType)) {
    const message = `Tensor "${tensor.name}" holds ${dataTypeName(tensor.dataType)}; weights must be FLOAT, FLOAT16, BFLOAT16 or DOUBLE.`;
    throw new CompressionError('UNSUPPORTED_MODEL', message, { tensor: tensor.name, dataType: tensor.dataType });
  }
  const { bytes } = await readTensor(model, tensor);
  return decodeFloats(bytes, tensor.dataType);
}

/** Whether `decodeFloats` knows this element type. */
export function isFloatType(dataType: number): boolean {
  const known: readonly number[] = [DataType.FLOAT, DataType.FLOAT16, DataType.BFLOAT16, DataType.DOUBLE];
  return known.includes(dataType);
}

/** Float32 values of raw bytes that start a buffer or are aligned to 8; float32 comes back as a view of the same memory. */
export function decodeFloats(bytes: Uint8Array<ArrayBuffer>, dataType: number): Float32Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = bytes;
  if (dataType === DataType.FLOAT) return new Float32Array(buffer, byteOffset, byteLength / 4);
  if (dataType === DataType.DOUBLE) return new Float32Array(new Float64Array(buffer, byteOffset, byteLength / 8));
  if (dataType === DataType.FLOAT16) return new Float32Array(new Float16Array(buffer, byteOffset, byteLength / 2));
  // bfloat16 is the upper half of a float32.
  const halves = new Uint16Array(buffer, byteOffset, byteLength / 2);
  const words = new Uint32Array(halves.length);
  for (let index = 0; index < halves.length; index++) words[index] = halves[index]! << 16;
  return new Float32Array(words.buffer);
}
