import { externalInitializer } from '../build/externalInitializer.ts';
import { elementBits } from '../dataType.ts';
import type { TensorProto } from '../generated/onnx_pb.js';

/** Rows `[start, end)` of the first axis of an external tensor as one of their own over the same file. Nothing is read. */
export function sliceRows(tensor: TensorProto, start: number, end: number): TensorProto {
  const others = tensor.dims.slice(1).map(Number);
  const rowBytes = (others.reduce((product, size) => product * size, 1) * elementBits(tensor.dataType)!) / 8;
  const entries = new Map(tensor.externalData.map(({ key, value }) => [key, value]));
  return externalInitializer({
    name: tensor.name,
    dataType: tensor.dataType,
    dims: [end - start, ...others],
    location: entries.get('location') ?? '',
    offset: Number(entries.get('offset') ?? 0) + start * rowBytes,
    length: (end - start) * rowBytes,
  });
}
