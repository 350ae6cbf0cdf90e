import { CompressionError } from '@quern/core';
import { DataType, type OnnxModel, tensorInput } from '@quern/onnx';
import { type Device, describeModel, extendGraph, findLogits } from '@quern/runtime';
import { LOSS, lastAxis, lossOfLogits, topProbability } from './lossNodes.ts';

const PREFIX = 'quern.model';

/**
 * A copy of the header that reads the targets `[batch, sequence, 1]` as well and returns their losses and the confidence of the model,
 * same shape, instead of logits. Handing logits `[batch, sequence, vocabulary]` to JavaScript costs more time and memory than reducing them.
 *
 * Errors: UNSUPPORTED_MODEL without logits or with an operator set before 11, which has no GatherElements.
 */
export function withLoss(model: OnnxModel, device: Device): OnnxModel {
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
  const each = ['batch_size', 'sequence_length', 1];
  return extendGraph(model, {
    nodes: [...lossOfLogits(PREFIX, logits.name, LOSS.nll, build), topProbability(PREFIX, LOSS.logConfidence, build)],
    inputs: [tensorInput(LOSS.targets, DataType.INT32, each)],
    initializers: [lastAxis()],
    outputs: [tensorInput(LOSS.nll, DataType.FLOAT, each), tensorInput(LOSS.logConfidence, DataType.FLOAT, each)],
  });
}
