import { externalInitializer } from '../build/externalInitializer.ts';
import { elementBits } from '../dataType.ts';
import type { TensorProto } from '../generated/onnx_pb.js';

/** Rows `[start, end)` of an external matrix as a tensor of their own over the same file. Nothing is read. */
export function sliceRows(tensor: TensorProto, start: number, end: number): TensorProto {
  const columns = Number(tensor.dims[1]);
  const rowBytes = (columns * elementBits(tensor.dataType)!) / 8;
  const entries = new Map(tensor.externalData.map(({ key, value }) => [key, value]));
  return externalInitializer({
    name: tensor.name,
    dataType: tensor.dataType,
    dims: [end - start, columns],
    location: entries.get('location') ?? '',
    offset: Number(entries.get('offset') ?? 0) + start * rowBytes,
    length: (end - start) * rowBytes,
  });
}
