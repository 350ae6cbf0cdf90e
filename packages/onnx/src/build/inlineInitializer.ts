import { create } from '@bufbuild/protobuf';
import { DataType } from '../dataType.ts';
import { type TensorProto, TensorProtoSchema } from '../generated/onnx_pb.js';

/** A tensor whose little-endian bytes lie in the header: for small tables and shapes. */
export function inlineInitializer(
  name: string,
  dataType: number,
  dims: readonly number[],
  bytes: Uint8Array,
): TensorProto {
  return create(TensorProtoSchema, { name, dataType, dims: dims.map(BigInt), rawData: bytes });
}

/** An inline int64 tensor, one-dimensional unless `dims` says otherwise: shapes, axes, indices. */
export function int64Initializer(
  name: string,
  values: readonly (number | bigint)[],
  dims: readonly number[] = [values.length],
): TensorProto {
  const data = BigInt64Array.from(values.map(BigInt));
  return inlineInitializer(name, DataType.INT64, dims, new Uint8Array(data.buffer));
}

/** An inline float32 tensor, one-dimensional unless `dims` says otherwise. */
export function floatInitializer(
  name: string,
  values: ArrayLike<number>,
  dims: readonly number[] = [values.length],
): TensorProto {
  const data = Float32Array.from(values);
  return inlineInitializer(name, DataType.FLOAT, dims, new Uint8Array(data.buffer));
}

/** An inline float16 tensor, values rounded to nearest; one-dimensional unless `dims` says otherwise. */
export function float16Initializer(
  name: string,
  values: ArrayLike<number>,
  dims: readonly number[] = [values.length],
): TensorProto {
  const data = Float16Array.from(values);
  return inlineInitializer(name, DataType.FLOAT16, dims, new Uint8Array(data.buffer));
}
