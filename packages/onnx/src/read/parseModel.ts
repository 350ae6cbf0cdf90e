import { fromBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema } from '../generated/onnx_pb.js';
import type { OnnxModel } from '../onnxModel.ts';

/** The model whose header `serializeModel` gave; the way back for one that travelled between threads. */
export function parseModel({ bytes, folder }: { readonly bytes: Uint8Array; readonly folder: string }): OnnxModel {
  return { proto: fromBinary(ModelProtoSchema, bytes), folder };
}
