import { CompressionError } from '@quern/core';
import { inlineInitializer } from '../build/inlineInitializer.ts';
import type { TensorProto } from '../generated/onnx_pb.js';
import { modelTensors } from '../modelTensors.ts';
import type { OnnxModel } from '../onnxModel.ts';
import { readTensor } from '../read/readTensor.ts';
import { isExternal, tensorSize } from '../read/tensorSize.ts';
import { cloneModel } from './cloneModel.ts';
import type { WeightStore } from './weightStore.ts';

/** What may be copied into a header: well below protobuf's 2 GiB. */
const LARGEST_COPY_BYTES = 1.5e9;

/**
 * A copy of a model, usually a part of one, that a session can open although its tensors lie in two places: those of the
 * store are read from its unfinished files, the others are copied into the header.
 *
 * Use it on parts whose large weights are in the store already, such as a compressed decoder block.
 *
 * @throws CompressionError UNSUPPORTED_MODEL when what must be copied passes 1.5 GB.
 */
export async function openWhileWriting(model: OnnxModel, store: WeightStore): Promise<OnnxModel> {
  const stored = new Set(
    modelTensors(model.proto)
      .filter(tensor => store.owns(tensor))
      .map(tensor => tensor.name),
  );
  if (stored.size === 0) return model;
  checkCopies(model, stored);
  const copy = cloneModel(model);
  const graph = copy.proto.graph!;
  for (const [position, tensor] of graph.initializer.entries()) {
    if (!isExternal(tensor)) continue;
    if (stored.has(tensor.name)) readUnfinished(tensor, store);
    else {
      const { dims, dataType, bytes } = await readTensor(model, tensor);
      graph.initializer[position] = inlineInitializer(tensor.name, dataType, dims, bytes);
    }
  }
  return { proto: copy.proto, folder: store.folder };
}

function readUnfinished(tensor: TensorProto, store: WeightStore): void {
  for (const entry of tensor.externalData) {
    if (entry.key === 'location') entry.value = store.unfinishedName(entry.value);
  }
}

function checkCopies(model: OnnxModel, stored: ReadonlySet<string>): void {
  let bytes = 0;
  for (const tensor of model.proto.graph?.initializer ?? []) {
    if (isExternal(tensor) && !stored.has(tensor.name)) bytes += tensorSize(tensor).byteCount ?? 0;
  }
  if (bytes <= LARGEST_COPY_BYTES) return;
  throw new CompressionError(
    'UNSUPPORTED_MODEL',
    `A block keeps ${bytes} bytes of weights as they are; at most ${LARGEST_COPY_BYTES} can. Exclude fewer sites.`,
    { bytes, limit: LARGEST_COPY_BYTES },
  );
}
