import { CompressionError } from '@quern/core';
import { DataType, type NodeProto, type OnnxModel, tensorInput, type ValueInfoProto } from '@quern/onnx';
import { type Device, describeModel, extendGraph, findLogits } from '@quern/runtime';
import { type Build, LOSS, lastAxis, logProbabilities, lossOfLogits, targetLoss } from './lossNodes.ts';

const PREFIX = 'quern.model';

/** What is returned beside the losses. */
export interface LossExtras {
  readonly nodes: (prefix: string, build: Build) => readonly NodeProto[];
  readonly outputs: readonly ValueInfoProto[];
}

/**
 * A copy of the header that reads the targets `[batch, sequence, 1]` as well and returns their losses, same shape, instead of
 * logits. Handing logits `[batch, sequence, vocabulary]` to JavaScript costs more time and memory than reducing them.
 *
 * Errors: UNSUPPORTED_MODEL without logits or with an operator set before 11, which has no GatherElements.
 */
export function withLoss(model: OnnxModel, device: Device, extras?: LossExtras): OnnxModel {
  const logits = findLogits(model);
  const opset = Number(
    model.proto.opsetImport.find(({ domain }) => domain === '' || domain === 'ai.onnx')?.version ?? 0,
  );
  if (opset < 11) {
    throw new CompressionError(
      'UNSUPPORTED_MODEL',
      `${describeModel(model)} uses operator set ${opset}; a loss needs at least 11. Export it again with a newer one.`,
      { folder: model.folder, opset },
    );
  }
  const build = { device, opset };
  const losses = extras
    ? [...logProbabilities(PREFIX, logits.name, build), ...targetLoss(PREFIX, LOSS.nll), ...extras.nodes(PREFIX, build)]
    : lossOfLogits(PREFIX, logits.name, LOSS.nll, build);
  return extendGraph(model, {
    nodes: losses,
    inputs: [tensorInput(LOSS.targets, DataType.INT32, ['batch_size', 'sequence_length', 1])],
    initializers: [lastAxis()],
    outputs: [lossOutput(LOSS.nll), ...(extras?.outputs ?? [])],
  });
}

/** A float32 output with a value for each token. */
export function lossOutput(name: string): ValueInfoProto {
  return tensorInput(name, DataType.FLOAT, ['batch_size', 'sequence_length', 1]);
}
