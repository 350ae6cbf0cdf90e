import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { readDecoderConfig } from './readDecoderConfig.ts';
import { rawConfig } from './testSupport/rawConfig.ts';
import { temporaryFolder } from './testSupport/temporaryFolder.ts';

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});

async function read(config: object): ReturnType<typeof readDecoderConfig> {
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  return readDecoderConfig(folder);
}

const mistral = { ...rawConfig(), architectures: ['MistralForCausalLM'], model_type: 'mistral' };
const qwen2 = { ...rawConfig(), architectures: ['Qwen2ForCausalLM'], model_type: 'qwen2' };
const qwen3 = { ...rawConfig(), architectures: ['Qwen3ForCausalLM'], model_type: 'qwen3' };
const llama3 = {
  rope_type: 'llama3',
  factor: 8,
  low_freq_factor: 1,
  high_freq_factor: 4,
  original_max_position_embeddings: 8192,
};

const SEES_ALL = { slidingWindow: null, rope: { size: 8, theta: 10000, scaling: { type: 'default' } } };

test('reads a Llama, with the defaults of transformers for what is absent', async () => {
  const raw = {
    model_type: 'llama',
    hidden_size: 64,
    intermediate_size: 172,
    num_hidden_layers: 2,
    num_attention_heads: 8,
    vocab_size: 512,
    max_position_embeddings: 2048,
    bos_token_id: 1,
    eos_token_id: 2,
    pad_token_id: null,
  };
  expect(await read(raw)).toEqual({
    modelType: 'llama',
    architecture: 'LlamaForCausalLM',
    hiddenSize: 64,
    intermediateSize: 172,
    blockCount: 2,
    headCount: 8,
    keyValueHeadCount: 8,
    headSize: 8,
    vocabularySize: 512,
    contextLength: 2048,
    normEpsilon: 1e-6,
    bosTokenId: 1,
    eosTokenIds: [2],
    padTokenId: null,
    tied: false,
    attentionBias: 'none',
    mlpBias: false,
    queryKeyNorm: 'none',
    attentionScale: 1 / Math.sqrt(8),
    activation: 'silu',
    fusedProjections: false,
    norms: 'before',
    gainOffset: 0,
    softcaps: { attention: null, logits: null },
    embeddingFactor: 1,
    residualFactor: 1,
    logitDivisor: 1,
    outgrowsFloat16: false,
    blocks: [SEES_ALL, SEES_ALL],
    raw,
  });
});

describe('end tokens', () => {
  test('come from generation_config.json where it names any', async () => {
    await writeFile(join(folder, 'generation_config.json'), '{"eos_token_id": [128001, 128009]}');
    expect((await read({ ...rawConfig(), eos_token_id: 2 })).eosTokenIds).toEqual([128001, 128009]);
  });

  test('come from config.json otherwise', async () => {
    await writeFile(join(folder, 'generation_config.json'), '{"do_sample": true}');
    expect((await read({ ...rawConfig(), eos_token_id: [5, 6] })).eosTokenIds).toEqual([5, 6]);
  });

  test('may be none at all', async () => {
    const config = await read(rawConfig());
    expect([config.bosTokenId, config.eosTokenIds]).toEqual([null, []]);
  });
});

describe('rope', () => {
  const scaling = {
    type: 'llama3',
    factor: 8,
    lowFrequencyFactor: 1,
    highFrequencyFactor: 4,
    originalContextLength: 8192,
  };
  test.each([
    ['rope_scaling', { rope_theta: 500000, rope_scaling: llama3 }],
    ['rope_parameters', { rope_theta: undefined, rope_parameters: { ...llama3, rope_theta: 500000 } }],
  ])('llama3 in %s', async (_, changes) => {
    const config = await read({ ...rawConfig(), ...changes });
    expect(config.blocks.map(({ rope }) => rope)).toEqual(new Array(3).fill({ size: 16, theta: 500000, scaling }));
  });

  test.each([null, { rope_type: 'default' }, { type: 'default' }])('%j is the default', async rope_scaling => {
    expect((await read({ ...rawConfig(), rope_scaling })).blocks[0]!.rope?.scaling).toEqual({ type: 'default' });
  });

  test('linear under its older key', async () => {
    const config = await read({ ...rawConfig(), rope_scaling: { type: 'linear', factor: 2.5 } });
    expect(config.blocks[0]!.rope?.scaling).toEqual({ type: 'linear', factor: 2.5 });
  });
});

describe('sliding windows', () => {
  test.each([
    ['Mistral with a window', { ...mistral, sliding_window: 9 }, [9, 9, 9]],
    ['Mistral with null', { ...mistral, sliding_window: null }, [null, null, null]],
    ['Mistral without the key', { ...mistral, max_position_embeddings: 8192 }, [4096, 4096, 4096]],
    ['Mistral with a window of the whole context', { ...mistral, sliding_window: 96 }, [null, null, null]],
    ['Mistral with a window of all but one', { ...mistral, sliding_window: 95 }, [95, 95, 95]],
    ['Llama with a key that its class does not read', { ...rawConfig(), sliding_window: 9 }, [null, null, null]],
    ['Qwen2 switched off', { ...qwen2, sliding_window: 9, use_sliding_window: false }, [null, null, null]],
    [
      'Qwen2 from block 2 on',
      { ...qwen2, sliding_window: 9, use_sliding_window: true, max_window_layers: 2 },
      [null, null, 9],
    ],
    [
      'Qwen2 from block 0 on',
      { ...qwen2, sliding_window: 9, use_sliding_window: true, max_window_layers: 0 },
      [9, 9, 9],
    ],
    [
      'Qwen3 by layer_types',
      {
        ...qwen3,
        sliding_window: 9,
        use_sliding_window: true,
        layer_types: ['sliding_attention', 'full_attention', 'sliding_attention'],
      },
      [9, null, 9],
    ],
  ])('%s', async (_, raw, expected) => {
    expect((await read(raw)).blocks.map(({ slidingWindow }) => slidingWindow)).toEqual(expected);
  });
});

test('biases and norms follow the architecture', async () => {
  const facts = async (raw: object) => {
    const { attentionBias, mlpBias, queryKeyNorm } = await read(raw);
    return [attentionBias, mlpBias, queryKeyNorm];
  };
  expect(await facts({ ...rawConfig(), attention_bias: true, mlp_bias: true })).toEqual(['all', true, 'none']);
  expect(await facts(mistral)).toEqual(['none', false, 'none']);
  expect(await facts(qwen2)).toEqual(['queryKeyValue', false, 'none']);
  expect(await facts(qwen3)).toEqual(['none', false, 'perHead']);
});

test('Qwen3 has heads of 128 unless it says otherwise', async () => {
  expect((await read({ ...qwen3, head_dim: undefined })).headSize).toBe(128);
  expect((await read({ ...qwen3, head_dim: 64 })).headSize).toBe(64);
});

describe('refuses', () => {
  test.each([
    [
      'another architecture',
      { architectures: ['GPT2LMHeadModel'], model_type: 'gpt2' },
      /"GPT2LMHeadModel".*supported: Llama/,
    ],
    [
      'a head that is no language model',
      { architectures: ['LlamaForSequenceClassification'] },
      /SequenceClassification/,
    ],
    ['model_type at odds with the architecture', { model_type: 'gemma' }, /model_type is "gemma"/],
    ['another activation', { hidden_act: 'gelu' }, /hidden_act is "gelu"/],
    [
      'yarn',
      { rope_scaling: { rope_type: 'yarn', factor: 4 } },
      /rope scaling is "yarn"; supported: default, linear, llama3/,
    ],
    ['dynamic scaling', { rope_scaling: { type: 'dynamic', factor: 4 } }, /"dynamic"/],
    ['longrope', { rope_scaling: { type: 'longrope', short_factor: [1], long_factor: [2] } }, /"longrope"/],
    ['partial rotation', { partial_rotary_factor: 0.5 }, /partial_rotary_factor is 0\.5/],
    ['partial rotation within', { rope_parameters: { rope_theta: 1, partial_rotary_factor: 0.25 } }, /0\.25/],
    ['rope by kind of block', { rope_parameters: { full_attention: { rope_theta: 1 } } }, /full_attention/],
    ['heads that the operator does not take', { head_dim: 12 }, /heads of 12 features.*multiples of 8/],
    ['biases that Mistral lacks', { ...mistral, attention_bias: true }, /attention_bias is true/],
    ['biases that Qwen2 lacks', { ...qwen2, mlp_bias: true }, /mlp_bias is true/],
    [
      'other kinds of attention',
      { ...qwen3, layer_types: ['full_attention', 'linear_attention', 'full_attention'] },
      /layer_types holds "linear_attention"/,
    ],
  ])('%s as UNSUPPORTED_MODEL', async (_, changes, message) => {
    await expect(read({ ...rawConfig(), ...changes })).rejects.toMatchObject({
      code: 'UNSUPPORTED_MODEL',
      message: expect.stringMatching(message),
    });
  });

  test.each([
    ['a missing size', { hidden_size: undefined }, /hidden_size is missing, wanted a whole number/],
    ['a size of zero', { num_hidden_layers: 0 }, /num_hidden_layers is 0/],
    ['a size in words', { vocab_size: 'many' }, /vocab_size is "many"/],
    ['a fractional size', { intermediate_size: 1.5 }, /intermediate_size is 1\.5/],
    ['too many blocks', { num_hidden_layers: 1e6 }, /num_hidden_layers is 1000000, the limit is 1024/],
    ['an endless context', { max_position_embeddings: 1e9 }, /max_position_embeddings is 1000000000, the limit is/],
    ['heads that do not divide', { num_key_value_heads: 3 }, /4 is not a multiple of num_key_value_heads 3/],
    ['a head size that does not divide', { head_dim: null, hidden_size: 30 }, /hidden_size 30 is not a multiple/],
    ['a flag that is none', { tie_word_embeddings: 'yes' }, /tie_word_embeddings is "yes", wanted true or false/],
    ['a negative epsilon', { rms_norm_eps: -1e-5 }, /rms_norm_eps is -0\.00001/],
    ['token ids in words', { eos_token_id: ['</s>'] }, /eos_token_id is \["<\/s>"\]/],
    ['rope settings in words', { rope_scaling: 'linear' }, /not an object/],
    ['linear scaling without a factor', { rope_scaling: { type: 'linear' } }, /factor is missing/],
    [
      'llama3 scaling without its context',
      { rope_scaling: { ...llama3, original_max_position_embeddings: null } },
      /original_max/,
    ],
    ['llama3 factors the wrong way round', { rope_scaling: { ...llama3, high_freq_factor: 1 } }, /must be above/],
    ['layer_types of another length', { ...qwen3, layer_types: ['full_attention'] }, /1 entries, wanted a list of 3/],
    [
      'a window that is asked for and switched off',
      { ...qwen3, layer_types: ['full_attention', 'full_attention', 'sliding_attention'] },
      /use_sliding_window is off/,
    ],
  ])('%s as INVALID_CONFIG', async (_, changes, message) => {
    await expect(read({ ...rawConfig(), ...changes })).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      message: expect.stringMatching(message),
    });
  });

  test('a quantised checkpoint', async () => {
    const quantization_config = { quant_method: 'gptq', bits: 4 };
    await expect(read({ ...rawConfig(), quantization_config })).rejects.toMatchObject({ code: 'ALREADY_QUANTIZED' });
  });

  test('a folder without config.json', async () => {
    await expect(readDecoderConfig(folder)).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
  });

  test.each(['{"model_type": "llama"', '[1, 2]', 'null', ''])('config.json that reads %j', async text => {
    await writeFile(join(folder, 'config.json'), text);
    await expect(readDecoderConfig(folder)).rejects.toMatchObject({ code: 'INVALID_CONFIG' });
  });
});
