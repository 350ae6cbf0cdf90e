import { create } from '@bufbuild/protobuf';
import {
  TensorProto_DataLocation as DataLocation,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProtoSchema,
} from '../generated/onnx_pb.js';

/** Where a tensor's bytes lie outside the header. */
export interface ExternalTensor {
  readonly name: string;
  readonly dataType: number;
  readonly dims: readonly number[];
  /** File, relative to the model's folder. */
  readonly location: string;
  /** First byte in that file. */
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
}

/** A tensor whose bytes lie in another file of the model's folder. Nothing is read or checked here. */
export function externalInitializer(tensor: ExternalTensor): TensorProto {
  const entry = (key: string, value: string) => create(StringStringEntryProtoSchema, { key, value });
  return create(TensorProtoSchema, {
    name: tensor.name,
    dataType: tensor.dataType,
    dims: tensor.dims.map(BigInt),
    dataLocation: DataLocation.EXTERNAL,
    externalData: [
      entry('location', tensor.location),
      entry('offset', String(tensor.offset)),
      entry('length', String(tensor.length)),
    ],
  });
}
