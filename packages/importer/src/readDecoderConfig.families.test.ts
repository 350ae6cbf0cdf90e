import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readDecoderConfig } from './readDecoderConfig.ts';
import { rawConfig } from './testSupport/rawConfig.ts';
import { temporaryFolder } from './testSupport/temporaryFolder.ts';

async function read(config: object): ReturnType<typeof readDecoderConfig> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  return readDecoderConfig(folder);
}

const gemma3 = {
  ...rawConfig(),
  max_position_embeddings: 8192,
  architectures: ['Gemma3ForCausalLM'],
  model_type: 'gemma3_text',
};
const gemma2 = {
  ...rawConfig(),
  max_position_embeddings: 8192,
  architectures: ['Gemma2ForCausalLM'],
  model_type: 'gemma2',
};
const granite = { ...rawConfig(), architectures: ['GraniteForCausalLM'], model_type: 'granite' };
const phi3 = { ...rawConfig(), architectures: ['Phi3ForCausalLM'], model_type: 'phi3' };
const smollm3 = { ...rawConfig(), architectures: ['SmolLM3ForCausalLM'], model_type: 'smollm3' };
const short_factor = [1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5];
const longrope = { type: 'longrope', short_factor, long_factor: short_factor.map(factor => 9 * factor) };

describe('Gemma 3', () => {
  const layer_types = ['sliding_attention', 'full_attention', 'sliding_attention'];
  const own = { sliding_window: 9, layer_types };
  const [near, far] = [10000, 1_000_000].map(theta => ({ size: 16, theta, scaling: { type: 'default' } }));

  test('by its defaults', async () => {
    const config = await read({
      ...gemma3,
      head_dim: undefined,
      rope_theta: undefined,
      tie_word_embeddings: undefined,
    });
    expect(config).toMatchObject({ headSize: 256, tied: true, queryKeyNorm: 'perHead', attentionScale: 1 / 16 });
    expect(config.blocks).toEqual(new Array(3).fill({ slidingWindow: 4096, rope: { ...near, size: 256 } }));
  });

  test.each(['sliding_window_pattern', '_sliding_window_pattern'])(
    'sees everything in each block that %s says',
    async key => {
      const { blocks } = await read({
        ...gemma3,
        rope_theta: undefined,
        num_hidden_layers: 6,
        sliding_window: 9,
        [key]: 3,
      });
      const [sliding, full] = [
        { slidingWindow: 9, rope: near },
        { slidingWindow: null, rope: far },
      ];
      expect(blocks).toEqual([sliding, sliding, full, sliding, sliding, full]);
    },
  );

  test('turns by kind of block, the scaling for those that see everything', async () => {
    const scaling = { type: 'linear', factor: 8 };
    const olds = { rope_theta: 5000, rope_local_base_freq: 70, rope_scaling: { rope_type: 'linear', factor: 8 } };
    const news = {
      rope_theta: undefined,
      rope_parameters: {
        full_attention: { rope_type: 'linear', factor: 8, rope_theta: 5000 },
        sliding_attention: { rope_type: 'default', rope_theta: 70 },
      },
    };
    for (const spelling of [olds, news]) {
      const { blocks } = await read({ ...gemma3, ...own, ...spelling });
      const sliding = { slidingWindow: 9, rope: { size: 16, theta: 70, scaling: { type: 'default' } } };
      expect(blocks).toEqual([sliding, { slidingWindow: null, rope: { size: 16, theta: 5000, scaling } }, sliding]);
      expect(blocks[2]!.rope).toBe(blocks[0]!.rope);
    }
  });
});

test('Gemma 2 by its defaults, and without soft caps', async () => {
  const config = await read({ ...gemma2, head_dim: undefined, tie_word_embeddings: undefined });
  expect(config).toMatchObject({ headSize: 256, tied: true, queryKeyNorm: 'none', attentionScale: 1 / 16 });
  expect(config.softcaps).toEqual({ attention: 50, logits: 30 });
  expect(config.blocks.map(({ slidingWindow }) => slidingWindow)).toEqual([4096, null, 4096]);
  expect(config.blocks[1]!.rope).toBe(config.blocks[0]!.rope);
  const none = { attn_logit_softcapping: null, final_logit_softcapping: null };
  expect((await read({ ...gemma2, ...none })).softcaps).toEqual({ attention: null, logits: null });
});

test('Granite has factors, each 1 unless it says so', async () => {
  const factors = { embeddingFactor: 1, residualFactor: 1, logitDivisor: 1, attentionScale: 1 };
  expect(await read(granite)).toMatchObject(factors);
  const own = {
    embedding_multiplier: 12,
    residual_multiplier: 0.22,
    logits_scaling: 8,
    attention_multiplier: 0.015625,
  };
  const expected = { embeddingFactor: 12, residualFactor: 0.22, logitDivisor: 8, attentionScale: 0.015625 };
  expect(await read({ ...granite, ...own })).toMatchObject(expected);
  await expect(read({ ...granite, logits_scaling: 0 })).rejects.toThrow(/logits_scaling is 0, wanted a number above 0/);
});

test('Phi-4-mini by the sizes of its config.json: heads of 128, of which 96 features turn', async () => {
  const factors = Array.from({ length: 48 }, (_, pair) => 1 + pair);
  const config = await read({
    ...{ architectures: ['Phi3ForCausalLM'], model_type: 'phi3', hidden_act: 'silu', tie_word_embeddings: true },
    ...{ hidden_size: 3072, intermediate_size: 8192, num_hidden_layers: 32, vocab_size: 200064 },
    ...{ num_attention_heads: 24, num_key_value_heads: 8, partial_rotary_factor: 0.75, rope_theta: 10000 },
    ...{ max_position_embeddings: 131072, original_max_position_embeddings: 4096, sliding_window: 262144 },
    ...{ attention_bias: false, mlp_bias: false, lm_head_bias: false, full_attn_mod: 1, interpolate_factor: 1 },
    rope_scaling: { type: 'longrope', short_factor: factors, long_factor: factors },
  });
  expect(config).toMatchObject({ headSize: 128, contextLength: 4096, tied: true, fusedProjections: true });
  expect(config.blocks[31]).toMatchObject({ slidingWindow: null, rope: { size: 96 } });
});

describe('Phi-3', () => {
  test.each([
    ['without the key', {}, null],
    ['by null', { sliding_window: null }, null],
    ['by a number', { sliding_window: 2047, max_position_embeddings: 4096 }, 2047],
  ])('has a window in every block or none: %s', async (_, changes, window) => {
    const { blocks } = await read({ ...phi3, ...changes });
    expect(blocks.map(({ slidingWindow }) => slidingWindow)).toEqual([window, window, window]);
  });

  test.each([{ partial_rotary_factor: 0.75 }, { rope_parameters: { partial_rotary_factor: 0.75, rope_theta: 10000 } }])(
    'turns part of a head: %j',
    async changes => {
      expect((await read({ ...phi3, ...changes })).blocks[0]!.rope?.size).toBe(12);
    },
  );

  test.each(['longrope', 'su'])('%s holds within the context of pre-training', async type => {
    const sizes = { max_position_embeddings: 131072, original_max_position_embeddings: 4096 };
    const config = await read({ ...phi3, ...sizes, rope_scaling: { ...longrope, type } });
    expect(config.contextLength).toBe(4096);
    const magnitude = Math.sqrt(1 + Math.log(32) / Math.log(4096));
    const scaling = { type: 'longrope', factors: short_factor, magnitude, originalContextLength: 4096 };
    expect(config.blocks[0]!.rope).toEqual({ size: 16, theta: 10000, scaling });
  });

  test('longrope as transformers 5 spells it, its magnitude named', async () => {
    const rope_parameters = {
      ...longrope,
      type: undefined,
      rope_type: 'longrope',
      rope_theta: 7,
      attention_factor: 1.5,
    };
    const config = await read({
      ...phi3,
      rope_parameters: { ...rope_parameters, original_max_position_embeddings: 32 },
    });
    expect(config.contextLength).toBe(32);
    expect(config.blocks[0]!.rope).toMatchObject({ theta: 7, scaling: { magnitude: 1.5 } });
  });
});

describe('SmolLM3', () => {
  const facts = async (changes: object) => {
    const { blocks } = await read({ ...smollm3, num_hidden_layers: 4, ...changes });
    return blocks.map(({ slidingWindow, rope }) => [rope !== null, slidingWindow]);
  };
  const [turns, does] = [
    [true, null],
    [false, null],
  ];

  test('turns all blocks but each fourth, or as listed', async () => {
    expect(await facts({})).toEqual([turns, turns, turns, does]);
    expect(await facts({ no_rope_layer_interval: 2 })).toEqual([turns, does, turns, does]);
    expect(await facts({ no_rope_layers: [0, 1, 0, 0, 1] })).toEqual([does, turns, does, does]);
  });

  test('has windows where it does not turn, or as listed', async () => {
    const windows = { use_sliding_window: true, sliding_window: 9 };
    expect(await facts({ ...windows, use_sliding_window: false })).toEqual([turns, turns, turns, does]);
    expect(await facts({ use_sliding_window: true })).toEqual([turns, turns, turns, does]);
    expect(await facts(windows)).toEqual([turns, turns, turns, [false, 9]]);
    const layer_types = ['full_attention', 'sliding_attention', 'full_attention', 'full_attention'];
    expect(await facts({ ...windows, layer_types })).toEqual([turns, [true, 9], turns, does]);
  });

  test('by its defaults', async () => {
    const config = await read({ ...smollm3, rope_theta: undefined, tie_word_embeddings: undefined });
    expect(config.tied).toBe(true);
    expect(config.blocks[0]!.rope?.theta).toBe(2_000_000);
  });

  test.each([[[1, 0]], [[1, 0, 2]], ['all']])('refuses no_rope_layers %j', async no_rope_layers => {
    await expect(read({ ...smollm3, no_rope_layers })).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      message: expect.stringMatching(/no_rope_layers is .*wanted a list of 0 and 1, one for each of 3 blocks/),
    });
  });
});

describe('refuses', () => {
  test.each([
    [
      'rope of a kind of block that Gemma 3 lacks',
      { ...gemma3, rope_parameters: { chunked_attention: { rope_theta: 1 } } },
      /settings of their own for chunked_attention; supported: full_attention and sliding_attention/,
    ],
    [
      'attention to both sides',
      { ...gemma3, use_bidirectional_attention: true },
      /use_bidirectional_attention is true/,
    ],
    ['soft caps of Gemma 3', { ...gemma3, final_logit_softcapping: 30 }, /final_logit_softcapping is 30/],
    ['another activation of Gemma 3', { ...gemma3, hidden_activation: 'gelu' }, /hidden_activation is "gelu"/],
    [
      'other scalings of Phi-3',
      { ...phi3, rope_scaling: { type: 'yarn' } },
      /"yarn"; supported: default, linear, llama3, longrope/,
    ],
    [
      'longrope elsewhere',
      { ...rawConfig(), rope_scaling: longrope },
      /"longrope"; supported: default, linear, llama3\./,
    ],
  ])('%s as UNSUPPORTED_MODEL', async (_, raw, message) => {
    await expect(read(raw)).rejects.toMatchObject({
      code: 'UNSUPPORTED_MODEL',
      message: expect.stringMatching(message),
    });
  });

  test.each([
    [
      'part of a head that is no pair',
      { partial_rotary_factor: 0.2 },
      /partial_rotary_factor is 0\.2, wanted .* the 16/,
    ],
    ['a part in words', { partial_rotary_factor: 'half' }, /partial_rotary_factor is "half"/],
    ['longrope without its context', { rope_scaling: longrope }, /original_max_position_embeddings is missing/],
    [
      'longrope with factors of another head',
      { rope_scaling: { ...longrope, short_factor: [1, 2] }, original_max_position_embeddings: 32 },
      /short_factor is a list of 2, wanted 8 numbers/,
    ],
    [
      'factors that are none',
      { rope_scaling: { ...longrope, short_factor: [0, 1, 1, 1, 1, 1, 1, 1] }, original_max_position_embeddings: 32 },
      /short_factor is a list of 8, wanted 8 numbers above 0/,
    ],
    [
      'windows that Gemma 3 wants and has not',
      { ...gemma3, sliding_window: null },
      /sliding_attention but .* sliding_window is null/,
    ],
  ])('%s as INVALID_CONFIG', async (_, changes, message) => {
    await expect(read({ ...phi3, ...changes })).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      message: expect.stringMatching(message),
    });
  });
});
