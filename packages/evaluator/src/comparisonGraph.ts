import { createModel, DataType, type OnnxModel, tensorInput } from '@quern/onnx';
import type { Device } from '@quern/runtime';
import {
  divergence,
  LOSS,
  type LogitTypes,
  lastAxis,
  logProbabilities,
  rank,
  targetLoss,
  topProbability,
  topTokens,
} from './lossNodes.ts';

const OPSET = 18;

/**
 * A graph of its own that compares two models' logits `[batch, sequence, vocabulary]`: losses of the targets `[batch, sequence, 1]`,
 * divergence, most likely tokens and their probabilities, same shape. On a CPU it runs over a few rows at a time, so its six intermediate copies stay small.
 */
export function comparisonGraph(types: LogitTypes, device: Device): OnnxModel {
  const build = { device, opset: OPSET };
  const logits = ['batch_size', 'sequence_length', 'vocabulary_size'];
  const each = ['batch_size', 'sequence_length', 1];
  return createModel({
    folder: '.',
    opsets: { '': OPSET },
    inputs: [
      tensorInput(LOSS.targets, DataType.INT32, each),
      tensorInput(LOSS.modelLogits, types.model, logits),
      tensorInput(LOSS.baselineLogits, types.baseline, logits),
    ],
    initializers: [lastAxis()],
    nodes: [
      ...logProbabilities('quern.model', LOSS.modelLogits, build),
      ...logProbabilities('quern.baseline', LOSS.baselineLogits, build),
      ...targetLoss('quern.model', LOSS.nll),
      ...targetLoss('quern.baseline', LOSS.baselineNll),
      topProbability('quern.model', LOSS.logConfidence, build),
      topProbability('quern.baseline', LOSS.baselineLogConfidence, build),
      ...divergence(build),
      ...topTokens(),
      ...rank(build),
    ],
    outputs: [
      tensorInput(LOSS.nll, DataType.FLOAT, each),
      tensorInput(LOSS.baselineNll, DataType.FLOAT, each),
      tensorInput(LOSS.logConfidence, DataType.FLOAT, each),
      tensorInput(LOSS.baselineLogConfidence, DataType.FLOAT, each),
      tensorInput(LOSS.klDivergence, DataType.FLOAT, each),
      tensorInput(LOSS.top, DataType.INT32, each),
      tensorInput(LOSS.baselineTop, DataType.INT32, each),
      tensorInput(LOSS.rank, DataType.FLOAT, each),
    ],
  });
}
