import { createModel, DataType, type NodeProto, node, type OnnxModel, tensorInput } from '@quern/onnx';
import { extendGraph } from '@quern/runtime';
import { LOSS, type LogitTypes, lastAxis, reduceLast, toFloat } from '../lossNodes.ts';

/** What a part of the vocabulary says of each token, `[tokens, 1]` but for `five`. */
export const SLICE = {
  /** Largest logit; sum of e^(logit - largest); logit of the target, of any token where the target lies in another part. */
  max: 'quern.model.slice_max',
  sum: 'quern.model.slice_sum',
  target: 'quern.model.slice_target',
  baselineMax: 'quern.baseline.slice_max',
  baselineSum: 'quern.baseline.slice_sum',
  baselineTarget: 'quern.baseline.slice_target',
  /** Where the largest logit stands in the part. */
  top: LOSS.top,
  baselineTop: LOSS.baselineTop,
  /** Sum of e^(baseline's logit - its largest) (baseline's logit - the model's). */
  weighted: 'quern.slice_weighted',
  /** The model's logit of the token which the baseline finds most likely. */
  atTop: 'quern.model.slice_at_top',
  /** The five largest logits of the model, `[tokens, at most 5]`. */
  five: 'quern.model.slice_five',
} as const;

/** Input: how many of the largest logits, 5 or as many as there are. */
export const FIVE_COUNT = 'quern.five_count';

const OPSET = 18;
const ROWS = ['batch_size', 'sequence_length', 1] as const;

/** Puts the reductions of `SLICE` that concern one model behind a part of its head. */
export function withSliceLoss(head: OnnxModel, logits: string): OnnxModel {
  const version = head.proto.opsetImport.find(({ domain }) => domain === '' || domain === 'ai.onnx')?.version;
  const opset = Number(version ?? 0);
  return extendGraph(head, {
    nodes: reductions('model', logits, opset),
    inputs: [tensorInput(LOSS.targets, DataType.INT32, ROWS)],
    initializers: [lastAxis()],
    outputs: [SLICE.max, SLICE.sum, SLICE.target].map(name => tensorInput(name, DataType.FLOAT, ROWS)),
  });
}

/** A graph of its own that reduces the logits of a model and its baseline, of one part of the vocabulary, to all of `SLICE`. */
export function sliceComparison(types: LogitTypes): OnnxModel {
  const logits = ['batch_size', 'sequence_length', 'vocabulary_size'];
  const attributes = { axis: { int: -1 }, keepdims: { int: 1 } };
  const top = (model: 'model' | 'baseline', output: string): NodeProto[] => [
    node('ArgMax', [`quern.${model}.float_logits`], [`${output}_int64`], { attributes }),
    node('Cast', [`${output}_int64`], [output], { attributes: { to: { int: DataType.INT32 } } }),
  ];
  const { five, top: _, baselineTop: __, ...floats } = SLICE;
  return createModel({
    folder: '.',
    opsets: { '': OPSET },
    inputs: [
      tensorInput(LOSS.targets, DataType.INT32, ROWS),
      tensorInput(LOSS.modelLogits, types.model, logits),
      tensorInput(LOSS.baselineLogits, types.baseline, logits),
      tensorInput(FIVE_COUNT, DataType.INT64, [1]),
    ],
    initializers: [lastAxis()],
    nodes: [
      ...reductions('model', LOSS.modelLogits, OPSET),
      ...reductions('baseline', LOSS.baselineLogits, OPSET),
      ...top('model', SLICE.top),
      ...top('baseline', SLICE.baselineTop),
      node('Sub', ['quern.baseline.float_logits', 'quern.model.float_logits'], ['quern.slice_difference']),
      node('Mul', ['quern.baseline.slice_powers', 'quern.slice_difference'], ['quern.slice_terms']),
      reduceLast('ReduceSum', 'quern.slice_terms', SLICE.weighted, OPSET),
      node('GatherElements', ['quern.model.float_logits', SLICE.baselineTop], [SLICE.atTop], {
        attributes: { axis: { int: -1 } },
      }),
      node('TopK', ['quern.model.float_logits', FIVE_COUNT], [five, 'quern.model.slice_five_places']),
    ],
    outputs: [
      ...Object.values(floats).map(name => tensorInput(name, DataType.FLOAT, ROWS)),
      ...[SLICE.top, SLICE.baselineTop].map(name => tensorInput(name, DataType.INT32, ROWS)),
      tensorInput(five, DataType.FLOAT, ['batch_size', 'sequence_length', 'five']),
    ],
  });
}

function reductions(model: 'model' | 'baseline', logits: string, opset: number): NodeProto[] {
  const prefix = `quern.${model}`;
  const [float, max, shifted] = [`${prefix}.float_logits`, `${prefix}.slice_max`, `${prefix}.slice_shifted`];
  const powers = `${prefix}.slice_powers`;
  return [
    toFloat(prefix, logits),
    reduceLast('ReduceMax', float, max, opset),
    node('Sub', [float, max], [shifted]),
    node('Exp', [shifted], [powers]),
    reduceLast('ReduceSum', powers, `${prefix}.slice_sum`, opset),
    node('GatherElements', [float, LOSS.targets], [`${prefix}.slice_target`], { attributes: { axis: { int: -1 } } }),
  ];
}
