import { clearField, fromBinary, toBinary } from '@bufbuild/protobuf';
import { externalInitializer } from '../build/externalInitializer.ts';
import { type ModelProto, ModelProtoSchema, TensorProtoSchema } from '../generated/onnx_pb.js';
import { graphScopes } from '../graphScopes.ts';
import { tensorSize } from './tensorSize.ts';

/** Smaller tensors stay in the header. */
const LARGE_TENSOR_BYTES = 1024;

/**
 * Turns large initializers of a header that was just decoded into external data that points into the header's own file,
 * so that the file's bytes can leave memory: ONNX Runtime then maps them instead of copying them.
 *
 * @param bytes the file as it was decoded; the raw data of tensors are views of it.
 * @param location the file's name in the model's folder.
 */
export function referInlineTensors(proto: ModelProto, bytes: Uint8Array, location: string): ModelProto {
  for (const { graph } of graphScopes({ proto })) {
    for (const tensor of graph.initializer) {
      const { rawData, name, dataType } = tensor;
      if (rawData.length < LARGE_TENSOR_BYTES || rawData.buffer !== bytes.buffer) continue;
      const offset = rawData.byteOffset - bytes.byteOffset;
      const { dims } = tensorSize(tensor);
      const moved = externalInitializer({ name, dataType, dims, location, offset, length: rawData.length });
      tensor.externalData = moved.externalData;
      tensor.dataLocation = moved.dataLocation;
      clearField(tensor, TensorProtoSchema.field.rawData);
    }
  }
  // Small tensors and strings are views of the file too; a copy of what is left lets go of it.
  return fromBinary(ModelProtoSchema, toBinary(ModelProtoSchema, proto));
}
