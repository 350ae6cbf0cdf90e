import { clearField } from '@bufbuild/protobuf';
import { CompressionError } from '@quern/core';
import { intOf, isStandard } from '../attributeValue.ts';
import { dataTypeName, elementBits } from '../dataType.ts';
import { type GraphProto, type TensorProto, TensorProtoSchema } from '../generated/onnx_pb.js';
import { type GraphScope, graphScopes, indexDefinitions } from '../graphScopes.ts';
import { modelTensors } from '../modelTensors.ts';
import type { OnnxModel } from '../onnxModel.ts';
import { decodeFloats, isFloatType } from '../read/readFloats.ts';
import { readTensor, streamTensor } from '../read/readTensor.ts';
import { isExternal, tensorSize } from '../read/tensorSize.ts';
import { constantTensor } from '../sites/traceWeight.ts';
import { encodeFloats } from './encodeFloats.ts';
import { dropUnused } from './graphEdit.ts';
import type { WeightStore } from './weightStore.ts';

/** Constants of this many bytes and more become initializers, so that they can leave the header. */
const LARGE_CONSTANT_BYTES = 1024;

/**
 * Moves every tensor that a store does not hold yet into it, one after the other, in pieces. Afterwards the model's
 * external data lies in the store's folder: go on with `{ proto: model.proto, folder }`.
 *
 * With `fold`, a Cast of a stored tensor between float types is carried out now and the node goes: the file then holds
 * the type that the graph computes in.
 *
 * @throws CompressionError as `readTensor` and the store; UNSUPPORTED_MODEL for external data of an unknown type.
 * Cost: reads and writes every byte once; 8 MiB of memory, or one tensor that lies in the header.
 */
export async function copyRemaining(
  model: OnnxModel,
  store: WeightStore,
  options: { readonly fold: boolean },
): Promise<void> {
  const scopes = graphScopes(model);
  if (options.fold) for (const scope of scopes) await foldCasts(model, scopes, scope, store);
  for (const { graph } of scopes) {
    hoistConstants(graph);
    for (const [position, tensor] of graph.initializer.entries()) {
      if (canMove(tensor, store)) graph.initializer[position] = await move(model, tensor, store);
    }
  }
  for (const tensor of modelTensors(model.proto)) {
    if (isExternal(tensor) && !store.owns(tensor)) await pullIntoHeader(model, tensor);
  }
}

async function foldCasts(
  model: OnnxModel,
  scopes: readonly GraphScope[],
  scope: GraphScope,
  store: WeightStore,
): Promise<void> {
  const index = indexDefinitions(scopes);
  const results = new Set(scope.graph.output.map(({ name }) => name));
  for (const cast of [...scope.graph.node]) {
    const [input = ''] = cast.input;
    const [output = ''] = cast.output;
    if (!isStandard(cast, 'Cast') || results.has(output)) continue;
    const source = index.find(scope, input);
    const target = intOf(cast, 'to', 0);
    if (source?.kind !== 'initializer' || store.owns(source.tensor)) continue;
    if (!isFloatType(source.tensor.dataType) || !isFloatType(target)) continue;
    const pieces = castPieces(model, source.tensor, target);
    const { dims } = tensorSize(source.tensor);
    scope.graph.initializer.push(await store.addStream(output, target, dims, pieces));
    scope.graph.node = scope.graph.node.filter(other => other !== cast);
    dropUnused(scope, input);
  }
}

async function* castPieces(model: OnnxModel, tensor: TensorProto, target: number): AsyncGenerator<Uint8Array> {
  for await (const piece of streamTensor(model, tensor)) {
    yield encodeFloats(decodeFloats(piece, tensor.dataType), target);
  }
}

/** Turns large Constant nodes into initializers of the same name. */
function hoistConstants(graph: GraphProto): void {
  const results = new Set(graph.output.map(({ name }) => name));
  graph.node = graph.node.filter(node => {
    const tensor = constantTensor(node);
    const output = node.output[0] ?? '';
    if (!tensor || results.has(output) || (tensorSize(tensor).byteCount ?? 0) < LARGE_CONSTANT_BYTES) return true;
    tensor.name = output;
    graph.initializer.push(tensor);
    return false;
  });
}

/** Strings, and types that are not known here, stay where they are; outside the header that is an error. */
function canMove(tensor: TensorProto, store: WeightStore): boolean {
  if (store.owns(tensor)) return false;
  if (elementBits(tensor.dataType) !== null) return true;
  if (!isExternal(tensor)) return false;
  const message = `Tensor "${tensor.name}" keeps ${dataTypeName(tensor.dataType)} in external data, which cannot be copied.`;
  throw new CompressionError('UNSUPPORTED_MODEL', message, { tensor: tensor.name });
}

async function move(model: OnnxModel, tensor: TensorProto, store: WeightStore): Promise<TensorProto> {
  const { dims } = tensorSize(tensor);
  const moved = await store.addStream(tensor.name, tensor.dataType, dims, streamTensor(model, tensor));
  if (tensor.docString !== '') moved.docString = tensor.docString;
  moved.metadataProps = tensor.metadataProps;
  if (tensor.$unknown) moved.$unknown = tensor.$unknown;
  return moved;
}

/** Attributes and sparse tensors have no place in a store. */
async function pullIntoHeader(model: OnnxModel, tensor: TensorProto): Promise<void> {
  tensor.rawData = (await readTensor(model, tensor)).bytes;
  clearField(tensor, TensorProtoSchema.field.externalData);
  clearField(tensor, TensorProtoSchema.field.dataLocation);
}
