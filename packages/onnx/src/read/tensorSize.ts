import { CompressionError } from '@quern/core';
import { DataType, dataTypeName, elementBits } from '../dataType.ts';
import { TensorProto_DataLocation as DataLocation, type TensorProto } from '../generated/onnx_pb.js';

/** What a tensor's header claims. */
export interface TensorSize {
  readonly dims: number[];
  readonly elementCount: number;
  /** Bytes of the raw data; null for strings and for element types that are not known here. */
  readonly byteCount: number | null;
}

/**
 * The size that a tensor's dims and type claim. Nothing is allocated from the claim.
 *
 * @throws CompressionError INVALID_ONNX when a size is negative or their product is beyond 2^53.
 */
export function tensorSize(tensor: TensorProto): TensorSize {
  let elementCount = 1;
  const dims: number[] = [];
  for (const size of tensor.dims) {
    if (size < 0n) throw badTensor(tensor, `has the negative size ${size}`, 'sizes are 0 or more');
    dims.push(Number(size));
    elementCount *= Number(size);
  }
  const bits = elementBits(tensor.dataType);
  const byteCount = bits === null ? null : Math.ceil((elementCount * bits) / 8);
  if (!dims.every(Number.isSafeInteger) || !Number.isSafeInteger(byteCount ?? elementCount)) {
    throw badTensor(tensor, `claims ${elementCount.toExponential(1)} elements`, 'the limit is 2^53 bytes');
  }
  return { dims, elementCount, byteCount };
}

/** Whether the bytes lie in another file. */
export function isExternal(tensor: TensorProto): boolean {
  return tensor.dataLocation === DataLocation.EXTERNAL;
}

/**
 * Compares the bytes inside the header with what dims and type claim.
 *
 * @throws CompressionError INVALID_ONNX when they differ.
 */
export function checkInlineTensor(tensor: TensorProto): void {
  const { elementCount, byteCount } = tensorSize(tensor);
  if (tensor.rawData.length > 0) {
    if (byteCount !== null && tensor.rawData.length !== byteCount) {
      const found = `holds ${tensor.rawData.length} bytes`;
      throw badTensor(tensor, found, `${shapeText(tensor)} of ${dataTypeName(tensor.dataType)} takes ${byteCount}`);
    }
    return;
  }
  const held = typedValueCount(tensor);
  const expected = expectedValueCount(tensor.dataType, elementCount);
  if (held !== null && held !== expected) {
    const wanted = `${shapeText(tensor)} of ${dataTypeName(tensor.dataType)} takes ${expected}`;
    throw badTensor(tensor, `holds ${held} values`, wanted);
  }
}

/** Values in the typed field that belongs to this element type; null when the type is not known here. */
function typedValueCount(tensor: TensorProto): number | null {
  switch (tensor.dataType) {
    case DataType.FLOAT:
    case DataType.COMPLEX64:
      return tensor.floatData.length;
    case DataType.DOUBLE:
    case DataType.COMPLEX128:
      return tensor.doubleData.length;
    case DataType.INT64:
      return tensor.int64Data.length;
    case DataType.UINT32:
    case DataType.UINT64:
      return tensor.uint64Data.length;
    case DataType.STRING:
      return tensor.stringData.length;
    default:
      return elementBits(tensor.dataType) === null ? null : tensor.int32Data.length;
  }
}

function expectedValueCount(dataType: number, elementCount: number): number {
  if (dataType === DataType.COMPLEX64 || dataType === DataType.COMPLEX128) return 2 * elementCount;
  const bits = elementBits(dataType);
  // Types narrower than a byte lie in int32_data as packed bytes, one a value.
  return bits !== null && bits < 8 ? Math.ceil((elementCount * bits) / 8) : elementCount;
}

function shapeText(tensor: TensorProto): string {
  return `[${tensor.dims.join(', ')}]`;
}

function badTensor(tensor: TensorProto, found: string, limit: string): CompressionError {
  return new CompressionError('INVALID_ONNX', `Tensor "${tensor.name}" ${found}; ${limit}. The file is damaged.`, {
    tensor: tensor.name,
    dims: tensor.dims.map(String),
    dataType: tensor.dataType,
  });
}
