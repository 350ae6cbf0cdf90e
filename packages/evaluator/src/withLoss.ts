import { CompressionError } from '@quern/core';
import { DataType, int64Initializer, type NodeProto, node, type OnnxModel, tensorInput } from '@quern/onnx';
import { type Device, describeModel, extendGraph, findLogits, type LogitsOutput } from '@quern/runtime';

/** Names of the values that the loss adds to a graph. Every value but the logits is `[batch, sequence, 1]`. */
export const LOSS = {
  /** int32: the token that follows each input token. */
  targets: 'quern.targets',
  /** The baseline's logits, in the type in which it returns them. */
  baselineLogits: 'quern.baseline_logits',
  /** float32: -ln p(target), nats. */
  nll: 'quern.nll',
  baselineNll: 'quern.baseline_nll',
  /** float32: KL(baseline || model), nats. */
  klDivergence: 'quern.kl_divergence',
  /** int32: 1 where both find the same token most likely. */
  agreement: 'quern.top_agreement',
} as const;

const LAST_AXIS = 'quern.last_axis';

/**
 * A copy of the header that returns losses instead of logits, so that `[batch, sequence, vocabulary]` never leaves the
 * engine: handing logits to JavaScript costs more than reducing them (5 to 8 times at a vocabulary of 32000).
 *
 * LogSoftmax with GatherElements is the fastest form on a CPU (0.7 ns a logit on two cores; ReduceLogSumExp 7, explicit
 * maximum, exponential and sum 1.2). WebGPU has no LogSoftmax kernel, so there it is written with the operators it has.
 * With `baseline`, the graph takes the baseline's logits as another input and compares. Logits are cast to float32 first.
 *
 * Errors: UNSUPPORTED_MODEL without logits or with an operator set before 11, which has no GatherElements.
 */
export function withLoss(model: OnnxModel, device: Device, baseline: LogitsOutput | null): OnnxModel {
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
  const nodes = [...logProbabilities('quern.model', logits.name, build), ...targetLoss('quern.model', LOSS.nll)];
  const inputs = [tensorInput(LOSS.targets, DataType.INT32, each)];
  const outputs = [tensorInput(LOSS.nll, DataType.FLOAT, each)];
  if (baseline) {
    const size = baseline.vocabularySize ?? 'vocabulary_size';
    inputs.push(tensorInput(LOSS.baselineLogits, baseline.dataType, ['batch_size', 'sequence_length', size]));
    nodes.push(
      ...logProbabilities('quern.baseline', LOSS.baselineLogits, build),
      ...targetLoss('quern.baseline', LOSS.baselineNll),
      ...divergence(build),
      ...agreement(),
    );
    outputs.push(
      tensorInput(LOSS.baselineNll, DataType.FLOAT, each),
      tensorInput(LOSS.klDivergence, DataType.FLOAT, each),
      tensorInput(LOSS.agreement, DataType.INT32, each),
    );
  }
  return extendGraph(model, { nodes, inputs, outputs, initializers: [int64Initializer(LAST_AXIS, [-1])] });
}

interface Build {
  readonly device: Device;
  readonly opset: number;
}

/** `prefix.float_logits` and `prefix.log_p` from logits. */
function logProbabilities(prefix: string, logits: string, { device, opset }: Build): NodeProto[] {
  const [float, logP] = [`${prefix}.float_logits`, `${prefix}.log_p`];
  const cast = node('Cast', [logits], [float], { attributes: { to: { int: DataType.FLOAT } } });
  if (device !== 'webgpu') {
    return [cast, node('LogSoftmax', [float], [logP], { attributes: { axis: { int: -1 } } })];
  }
  const [largest, shifted, powers] = [`${prefix}.max`, `${prefix}.shifted`, `${prefix}.exp`];
  const [total, logTotal] = [`${prefix}.sum`, `${prefix}.log_sum`];
  return [
    cast,
    reduce('ReduceMax', float, largest, opset),
    node('Sub', [float, largest], [shifted]),
    node('Exp', [shifted], [powers]),
    reduce('ReduceSum', powers, total, opset),
    node('Log', [total], [logTotal]),
    node('Sub', [shifted, logTotal], [logP]),
  ];
}

/** -ln p(target). */
function targetLoss(prefix: string, output: string): NodeProto[] {
  const picked = `${prefix}.picked`;
  return [
    node('GatherElements', [`${prefix}.log_p`, LOSS.targets], [picked], { attributes: { axis: { int: -1 } } }),
    node('Neg', [picked], [output]),
  ];
}

/** Sum over the vocabulary of p (ln p - ln q), p the baseline's. */
function divergence({ opset }: Build): NodeProto[] {
  return [
    node('Exp', ['quern.baseline.log_p'], ['quern.baseline.p']),
    node('Sub', ['quern.baseline.log_p', 'quern.model.log_p'], ['quern.log_ratio']),
    node('Mul', ['quern.baseline.p', 'quern.log_ratio'], ['quern.kl_terms']),
    reduce('ReduceSum', 'quern.kl_terms', LOSS.klDivergence, opset),
  ];
}

function agreement(): NodeProto[] {
  const attributes = { axis: { int: -1 }, keepdims: { int: 1 } };
  return [
    node('ArgMax', ['quern.model.float_logits'], ['quern.model.top'], { attributes }),
    node('ArgMax', ['quern.baseline.float_logits'], ['quern.baseline.top'], { attributes }),
    node('Equal', ['quern.model.top', 'quern.baseline.top'], ['quern.same_top']),
    node('Cast', ['quern.same_top'], [LOSS.agreement], { attributes: { to: { int: DataType.INT32 } } }),
  ];
}

/** Over the last axis, which is kept. The axes became an input in operator set 13 for sums and 18 for maxima. */
function reduce(opType: 'ReduceSum' | 'ReduceMax', input: string, output: string, opset: number): NodeProto {
  const keepdims = { int: 1 };
  if (opset < (opType === 'ReduceSum' ? 13 : 18)) {
    return node(opType, [input], [output], { attributes: { axes: { ints: [-1] }, keepdims } });
  }
  return node(opType, [input, LAST_AXIS], [output], { attributes: { keepdims } });
}
