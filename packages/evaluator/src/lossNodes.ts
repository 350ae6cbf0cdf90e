import { DataType, int64Initializer, type NodeProto, node, type TensorProto } from '@quern/onnx';
import type { Device } from '@quern/runtime';

/** Names of the inputs and outputs that losses add to a graph. */
export const LOSS = {
  /** int32: the token that follows each input token. */
  targets: 'quern.targets',
  modelLogits: 'quern.model_logits',
  baselineLogits: 'quern.baseline_logits',
  /** float32: -ln p(target), nats. */
  nll: 'quern.nll',
  baselineNll: 'quern.baseline_nll',
  /** float32: ln p of the most likely token. */
  logConfidence: 'quern.log_confidence',
  baselineLogConfidence: 'quern.baseline_log_confidence',
  /** float32: KL(baseline || model), nats. */
  klDivergence: 'quern.kl_divergence',
  /** int32: the most likely token. */
  top: 'quern.top',
  baselineTop: 'quern.baseline_top',
  /** float32: tokens that the model finds more likely than the baseline's most likely one. */
  rank: 'quern.rank',
} as const;

/** Element types, a `DataType`, of the logits to compare. */
export interface LogitTypes {
  readonly model: number;
  readonly baseline: number;
}

const LAST_AXIS = 'quern.last_axis';

/** What decides how the operators are written. */
export interface Build {
  readonly device: Device;
  readonly opset: number;
}

/** Axis -1 as a tensor, which every graph with these nodes needs among its initializers. */
export function lastAxis(): TensorProto {
  return int64Initializer(LAST_AXIS, [-1]);
}

/**
 * `prefix.float_logits` and `prefix.log_p`, both float32, from logits.
 *
 * LogSoftmax is the fastest form on a CPU: 0.7 ns a logit on two cores against 1.2 for explicit maximum, exponential and sum,
 * and 7 for ReduceLogSumExp. WebGPU has no kernel for it, so there it is written with the operators it has.
 */
export function logProbabilities(prefix: string, logits: string, build: Build): NodeProto[] {
  const logP = `${prefix}.log_p`;
  if (build.device !== 'webgpu') {
    const attributes = { axis: { int: -1 } };
    return [toFloat(prefix, logits), node('LogSoftmax', [`${prefix}.float_logits`], [logP], { attributes })];
  }
  return [...logTotal(prefix, logits, build), node('Sub', [`${prefix}.shifted`, `${prefix}.log_sum`], [logP])];
}

/** `output` = -ln p(target) from logits. On WebGPU without the probabilities of other tokens: one pass over the logits less. */
export function lossOfLogits(prefix: string, logits: string, output: string, build: Build): NodeProto[] {
  if (build.device !== 'webgpu') return [...logProbabilities(prefix, logits, build), ...targetLoss(prefix, output)];
  const picked = `${prefix}.picked`;
  return [
    ...logTotal(prefix, logits, build),
    pickTarget(`${prefix}.shifted`, picked),
    node('Sub', [`${prefix}.log_sum`, picked], [output]),
  ];
}

/** -ln p(target) from `prefix.log_p`. */
export function targetLoss(prefix: string, output: string): NodeProto[] {
  const picked = `${prefix}.picked`;
  return [pickTarget(`${prefix}.log_p`, picked), node('Neg', [picked], [output])];
}

/** `prefix.float_logits`, float32. */
export function toFloat(prefix: string, logits: string): NodeProto {
  return node('Cast', [logits], [`${prefix}.float_logits`], { attributes: { to: { int: DataType.FLOAT } } });
}

function pickTarget(from: string, output: string): NodeProto {
  return node('GatherElements', [from, LOSS.targets], [output], { attributes: { axis: { int: -1 } } });
}

/** `prefix.shifted` = logits less their maximum, `prefix.log_sum` = ln of the sum of its exponentials. */
function logTotal(prefix: string, logits: string, { opset }: Build): NodeProto[] {
  const [float, largest, shifted] = [`${prefix}.float_logits`, `${prefix}.max`, `${prefix}.shifted`];
  const [powers, total] = [`${prefix}.exp`, `${prefix}.sum`];
  return [
    toFloat(prefix, logits),
    reduceLast('ReduceMax', float, largest, opset),
    node('Sub', [float, largest], [shifted]),
    node('Exp', [shifted], [powers]),
    reduceLast('ReduceSum', powers, total, opset),
    node('Log', [total], [`${prefix}.log_sum`]),
  ];
}

/** ln p of the most likely token, from the nodes of `logProbabilities`. */
export function topProbability(prefix: string, output: string, { device, opset }: Build): NodeProto {
  // The largest logit was subtracted before exponentials were added.
  if (device === 'webgpu') return node('Neg', [`${prefix}.log_sum`], [output]);
  return reduceLast('ReduceMax', `${prefix}.log_p`, output, opset);
}

/** Sum over the vocabulary of p (ln p - ln q), p the baseline's. */
export function divergence({ opset }: Build): NodeProto[] {
  return [
    node('Exp', ['quern.baseline.log_p'], ['quern.baseline.p']),
    node('Sub', ['quern.baseline.log_p', 'quern.model.log_p'], ['quern.log_ratio']),
    node('Mul', ['quern.baseline.p', 'quern.log_ratio'], ['quern.kl_terms']),
    reduceLast('ReduceSum', 'quern.kl_terms', LOSS.klDivergence, opset),
  ];
}

/** The tokens that both models find most likely, of equals the first. */
export function topTokens(): NodeProto[] {
  const attributes = { axis: { int: -1 }, keepdims: { int: 1 } };
  const toInt32 = { attributes: { to: { int: DataType.INT32 } } };
  return (['model', 'baseline'] as const).flatMap(model => [
    node('ArgMax', [`quern.${model}.float_logits`], [`quern.${model}.top_int64`], { attributes }),
    node('Cast', [`quern.${model}.top_int64`], [model === 'model' ? LOSS.top : LOSS.baselineTop], toInt32),
  ]);
}

/** How many logits of the model are above that of the token which the baseline finds most likely; behind `topTokens`. */
export function rank({ opset }: Build): NodeProto[] {
  const toFloat = { attributes: { to: { int: DataType.FLOAT } } };
  return [
    node('GatherElements', ['quern.model.float_logits', LOSS.baselineTop], ['quern.model.at_top'], {
      attributes: { axis: { int: -1 } },
    }),
    node('Greater', ['quern.model.float_logits', 'quern.model.at_top'], ['quern.model.is_above']),
    node('Cast', ['quern.model.is_above'], ['quern.model.above'], toFloat),
    reduceLast('ReduceSum', 'quern.model.above', LOSS.rank, opset),
  ];
}

/** Over the last axis, which is kept. The axes became an input in operator set 13 for sums and 18 for maxima. */
export function reduceLast(opType: 'ReduceSum' | 'ReduceMax', input: string, output: string, opset: number): NodeProto {
  const keepdims = { int: 1 };
  if (opset < (opType === 'ReduceSum' ? 13 : 18)) {
    return node(opType, [input], [output], { attributes: { axes: { ints: [-1] }, keepdims } });
  }
  return node(opType, [input, LAST_AXIS], [output], { attributes: { keepdims } });
}
