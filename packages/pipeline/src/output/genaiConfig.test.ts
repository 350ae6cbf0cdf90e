import { createModel, DataType, node, type OnnxModel, tensorInput } from '@quern/onnx';
import { describe, expect, it } from 'vitest';
import { type GenaiSource, genaiConfig } from './genaiConfig.ts';

interface Shape {
  readonly blocks: number;
  readonly reader?: string;
  readonly extraInputs?: readonly string[];
  readonly headSize?: number | string;
}

/** A graph with the inputs and outputs of a decoder; what its nodes compute does not matter here. */
function decoder({ blocks, reader = 'GroupQueryAttention', extraInputs = [], headSize = 16 }: Shape): OnnxModel {
  const halves = Array.from({ length: blocks }, (_, block) => ['key', 'value'].map(half => `${block}.${half}`)).flat();
  const cache = (prefix: string) =>
    halves.map(half => tensorInput(`${prefix}.${half}`, DataType.FLOAT, ['batch_size', 2, 'length', headSize]));
  return createModel({
    folder: '.',
    inputs: [
      tensorInput('input_ids', DataType.INT64, ['batch_size', 'sequence']),
      tensorInput('attention_mask', DataType.INT64, ['batch_size', 'total']),
      ...extraInputs.map(name => tensorInput(name, DataType.INT64, [1])),
      ...cache('past_key_values'),
    ],
    outputs: [tensorInput('logits', DataType.FLOAT, ['batch_size', 'sequence', 1000]), ...cache('present')],
    nodes: halves.map(half => node(reader, ['input_ids', `past_key_values.${half}`], [`present.${half}`])),
  });
}

const CONFIG = {
  model_type: 'llama',
  bos_token_id: 1,
  eos_token_id: 2,
  hidden_size: 64,
  num_attention_heads: 4,
  max_position_embeddings: 128,
};
const describeModel = (model: OnnxModel, others: Partial<GenaiSource> = {}) =>
  genaiConfig({ model, path: 'm', filename: 'model.onnx', config: CONFIG, generation: {}, target: 'cpu', ...others });

it('describes a decoder: the cache from its graph, the rest from config.json', () => {
  expect(describeModel(decoder({ blocks: 3 })).model).toEqual({
    type: 'llama',
    bos_token_id: 1,
    eos_token_id: 2,
    pad_token_id: 2,
    context_length: 128,
    vocab_size: 1000,
    decoder: {
      session_options: { log_id: 'onnxruntime-genai', provider_options: [] },
      filename: 'model.onnx',
      head_size: 16,
      hidden_size: 64,
      num_attention_heads: 4,
      num_key_value_heads: 2,
      num_hidden_layers: 3,
      inputs: {
        input_ids: 'input_ids',
        attention_mask: 'attention_mask',
        past_key_names: 'past_key_values.%d.key',
        past_value_names: 'past_key_values.%d.value',
      },
      outputs: { logits: 'logits', present_key_names: 'present.%d.key', present_value_names: 'present.%d.value' },
    },
  });
});

it('takes tokens and sampling from generation_config.json first', () => {
  const generation = { eos_token_id: [2, 7], pad_token_id: 9, do_sample: true, temperature: 0.6, top_p: 0.9 };
  const { model, search } = describeModel(decoder({ blocks: 1 }), { generation });
  expect(model).toMatchObject({ eos_token_id: [2, 7], pad_token_id: 9 });
  expect(search).toMatchObject({ do_sample: true, temperature: 0.6, top_p: 0.9, top_k: 50, max_length: 128 });
});

it('names no type that onnxruntime-genai would refuse', () => {
  const typeOf = (model_type: unknown) =>
    describeModel(decoder({ blocks: 1 }), { config: { ...CONFIG, model_type } }).model.type;
  expect(['gemma3_text', 'olmo2', 7, undefined].map(typeOf)).toEqual(['gemma3_text', 'decoder', 'decoder', 'decoder']);
});

it('names the provider and leaves out tokens that there are none of', () => {
  const config = { ...CONFIG, bos_token_id: null, eos_token_id: null };
  const { model } = describeModel(decoder({ blocks: 1 }), { config, target: 'cuda' });
  expect(model.decoder.session_options.provider_options).toEqual([{ cuda: {} }]);
  expect(Object.keys(model)).not.toEqual(expect.arrayContaining([expect.stringMatching(/token_id/)]));
});

it('falls back on config.json for sizes that the graph leaves open', () => {
  const { decoder: sizes } = describeModel(decoder({ blocks: 1, headSize: 'head' })).model;
  expect(sizes.head_size).toBe(64 / 4);
});

it('shares past and present only where GroupQueryAttention alone reads the cache', () => {
  expect(describeModel(decoder({ blocks: 2 })).search.past_present_share_buffer).toBe(true);
  expect(describeModel(decoder({ blocks: 2, reader: 'Concat' })).search.past_present_share_buffer).toBe(false);
});

describe('refuses', () => {
  it('a graph without cache', () => {
    expect(() => describeModel(decoder({ blocks: 0 }))).toThrow(/no input past_key_values\.0\.key.*transformersjs/);
  });

  it('inputs that onnxruntime-genai does not fill', () => {
    const model = decoder({ blocks: 1, extraInputs: ['num_logits_to_keep'] });
    expect(() => describeModel(model)).toThrow(/an input num_logits_to_keep, which it does not fill/);
  });

  it('a cache with half of its names', () => {
    const model = decoder({ blocks: 2 });
    const graph = model.proto.graph!;
    graph.output = graph.output.filter(({ name }) => name !== 'present.1.value');
    expect(() => describeModel(model)).toThrow(/no output present\.1\.value/);
    graph.input = graph.input.filter(({ name }) => name !== 'past_key_values.1.value');
    expect(() => describeModel(model)).toThrow(/no input past_key_values\.1\.value/);
  });

  it('a config.json without a size', () => {
    const { hidden_size: _, ...config } = CONFIG;
    expect(() => describeModel(decoder({ blocks: 1 }), { config })).toThrow(/does not give hidden_size/);
  });
});
