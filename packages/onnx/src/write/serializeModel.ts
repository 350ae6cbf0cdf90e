import { toBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema } from '../generated/onnx_pb.js';
import type { OnnxModel } from '../onnxModel.ts';

/** The bytes of the model's header: everything but external data. Fields that this version does not know are kept. */
export function serializeModel(model: OnnxModel): Uint8Array {
  return toBinary(ModelProtoSchema, model.proto);
}
