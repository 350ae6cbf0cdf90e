import { createModel, DataType, type OnnxModel, tensorInput } from '@quern/onnx';
import { addAttention } from './addAttention.ts';
import { addBatchLayout } from './addBatchLayout.ts';
import { addFeedForward } from './addFeedForward.ts';
import { addHead } from './addHead.ts';
import { addNorm } from './addNorm.ts';
import { addRotaryTables } from './addRotaryTables.ts';
import { addWeight } from './addWeight.ts';
import type { DecoderWeights } from './bindWeights.ts';
import type { DecoderConfig } from './decoderConfig.ts';
import { type GraphDraft, graphDraft } from './graphDraft.ts';
import { inverseFrequencies } from './inverseFrequencies.ts';

/**
 * Writes a decoder with key-value cache: `input_ids`, `attention_mask`, `past_key_values.*` to `logits`, `present.*`, as
 * transformers.js and onnxruntime-genai feed it. Positions follow from the mask.
 *
 * @param weights where every weight lies; initializers point there
 * @param options `computeType` of activations and cache, `folder` that holds the weight files
 */
export function buildDecoder(
  config: DecoderConfig,
  weights: DecoderWeights,
  options: { computeType: GraphDraft['computeType']; folder: string },
): OnnxModel {
  const { computeType, folder } = options;
  const draft = graphDraft(computeType);
  const layout = addBatchLayout(draft);
  const frequencies = inverseFrequencies(config.headSize, config.ropeTheta, config.ropeScaling);
  const rotary = addRotaryTables(draft, frequencies, config.contextLength);
  const embedding = addWeight(draft, weights.embedding, 'model.embed_tokens.weight');
  const epsilon = config.normEpsilon;

  const reorder = (path: string, input: string, order: string): string => {
    const rows = draft.add(`${path}/Reshape`, 'Reshape', [input, draft.constant([-1, config.hiddenSize])]);
    return draft.add(`${path}/Gather`, 'Gather', [rows, order]);
  };
  const embedded = draft.add('/model/embed_tokens/Gather', 'Gather', [embedding, 'input_ids']);
  let residual = reorder('/model/inside_order', embedded, layout.insideOrder);
  let update: string | null = null;
  for (const [block, own] of weights.blocks.entries()) {
    const root = `/model/layers.${block}`;
    const inputNorm = { path: `${root}/input_layernorm`, weight: own.inputNorm, epsilon };
    const before = addNorm(draft, { residual, update }, inputNorm);
    const attended = addAttention(draft, before.normed, { config, layout, rotary, block, weights: own });
    const outputNorm = { path: `${root}/post_attention_layernorm`, weight: own.postAttentionNorm, epsilon };
    const middle = addNorm(draft, { residual: before.residual, update: attended }, outputNorm);
    update = addFeedForward(draft, middle.normed, { block, weights: own });
    residual = middle.residual;
  }
  const { normed } = addNorm(draft, { residual, update }, { path: '/model/norm', weight: weights.finalNorm, epsilon });
  const ordered = reorder('/model/caller_order', normed, layout.callerOrder);
  addHead(draft, ordered, { head: weights.head, embedding });

  return createModel({
    folder,
    nodes: draft.nodes,
    initializers: draft.initializers,
    inputs: [
      tensorInput('input_ids', DataType.INT64, ['batch_size', 'sequence_length']),
      tensorInput('attention_mask', DataType.INT64, ['batch_size', 'total_sequence_length']),
      ...cacheValues(config, computeType, { prefix: 'past_key_values', length: 'past_sequence_length' }),
    ],
    outputs: [
      tensorInput('logits', DataType.FLOAT, ['batch_size', 'sequence_length', config.vocabularySize]),
      ...cacheValues(config, computeType, { prefix: 'present', length: 'total_sequence_length' }),
    ],
  });
}

function cacheValues(config: DecoderConfig, dataType: number, { prefix, length }: { prefix: string; length: string }) {
  const dims = ['batch_size', config.keyValueHeadCount, length, config.headSize];
  return config.slidingWindows.flatMap((_, block) =>
    ['key', 'value'].map(half => tensorInput(`${prefix}.${block}.${half}`, dataType, dims)),
  );
}
