import { createModel, DataType, type OnnxModel, tensorInput } from '@quern/onnx';
import { addAttention } from './addAttention.ts';
import { addBatchLayout } from './addBatchLayout.ts';
import { addEmbedding } from './addEmbedding.ts';
import { addFeedForward } from './addFeedForward.ts';
import { addHead } from './addHead.ts';
import { addModule, type HiddenState } from './addModule.ts';
import { addNorm } from './addNorm.ts';
import { addRotaryTables, type RotaryTables } from './addRotaryTables.ts';
import type { DecoderWeights } from './bindWeights.ts';
import type { DecoderConfig, Rope } from './decoderConfig.ts';
import { type FloatType, type GraphDraft, graphDraft } from './graphDraft.ts';
import { inverseFrequencies } from './inverseFrequencies.ts';

/**
 * Writes a decoder with key-value cache: `input_ids`, `attention_mask`, `past_key_values.*` to `logits`, `present.*`, as
 * transformers.js and onnxruntime-genai feed it. Positions follow from the mask.
 *
 * The hidden state between modules, and its norms, are float32 in a float16 graph where the architecture outgrows float16.
 *
 * @param weights where every weight lies; initializers point there
 * @param options `computeType` of activations and cache, `folder` that holds the weight files
 */
export function buildDecoder(
  config: DecoderConfig,
  weights: DecoderWeights,
  options: { computeType: FloatType; folder: string },
): OnnxModel {
  const { computeType, folder } = options;
  const draft = graphDraft(computeType);
  const layout = addBatchLayout(draft);
  const rotary = addRotaries(draft, config);
  const type = config.outgrowsFloat16 ? DataType.FLOAT : computeType;
  const norm = { epsilon: config.normEpsilon, offset: config.gainOffset, type };

  const reorder = (path: string, input: string, order: string): string => {
    const rows = draft.add(`${path}/Reshape`, 'Reshape', [input, draft.constant([-1, config.hiddenSize])]);
    return draft.add(`${path}/Gather`, 'Gather', [rows, order]);
  };
  const embedding = { table: weights.embedding, factor: config.embeddingFactor, type };
  const { table, embedded } = addEmbedding(draft, embedding);
  let state: HiddenState = { residual: reorder('/model/inside_order', embedded, layout.insideOrder), update: null };
  for (const [block, own] of weights.blocks.entries()) {
    const root = `/model/layers.${block}`;
    const { rope } = config.blocks[block]!;
    const attention = { config, layout, rotary: rope && rotary.get(rope)!, block, weights: own };
    state = addModule(draft, state, {
      root,
      name: 'attn',
      norms: own.attentionNorms,
      norm,
      factor: config.residualFactor,
      compute: input => addAttention(draft, input, attention),
    });
    state = addModule(draft, state, {
      root,
      name: 'mlp',
      norms: own.feedForwardNorms,
      norm,
      factor: config.residualFactor,
      compute: input => addFeedForward(draft, input, { block, activation: config.activation, weights: own }),
    });
  }
  const { normed } = addNorm(draft, state, { ...norm, path: '/model/norm', weight: weights.finalNorm });
  const narrow = draft.cast(normed, '/model/norm/narrow', { from: type, to: computeType });
  const ordered = reorder('/model/caller_order', narrow, layout.callerOrder);
  addHead(draft, ordered, { config, head: weights.head, embedding: table });

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

/** The tables of every rope that a block turns by: `rotary_emb`, then `rotary_emb_1`. */
function addRotaries(draft: GraphDraft, config: DecoderConfig): ReadonlyMap<Rope, RotaryTables> {
  const ropes = [...new Set(config.blocks.map(({ rope }) => rope))].filter(rope => rope !== null);
  const { contextLength } = config;
  return new Map(
    ropes.map((rope, index) => {
      const name = index === 0 ? 'rotary_emb' : `rotary_emb_${index}`;
      const magnitude = rope.scaling.type === 'longrope' ? rope.scaling.magnitude : 1;
      return [rope, addRotaryTables(draft, inverseFrequencies(rope), { contextLength, name, magnitude })];
    }),
  );
}

function cacheValues(config: DecoderConfig, dataType: number, { prefix, length }: { prefix: string; length: string }) {
  const dims = ['batch_size', config.keyValueHeadCount, length, config.headSize];
  return config.blocks.flatMap((_, block) =>
    ['key', 'value'].map(half => tensorInput(`${prefix}.${block}.${half}`, dataType, dims)),
  );
}
