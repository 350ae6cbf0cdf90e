import { halveAttention } from '@quern/onnx';
import { expect, test } from 'vitest';
import { importCheckpoint } from './importCheckpoint.ts';
import type { WeightDtype } from './testSupport/encodeFloats.ts';
import { largestDifference } from './testSupport/largestDifference.ts';
import { naiveDecoder } from './testSupport/naiveDecoder.ts';
import { logitsAt, openDecoder } from './testSupport/openDecoder.ts';
import { randomCheckpoint } from './testSupport/randomCheckpoint.ts';
import { GEMMA2, GEMMA3, GRANITE, OLMO2, PHI3, type RawConfig, rawConfig, SMOLLM3 } from './testSupport/rawConfig.ts';

const LLAMA3_SCALING = {
  factor: 8,
  low_freq_factor: 1,
  high_freq_factor: 4,
  original_max_position_embeddings: 32,
} as const;
const mistral = { architectures: ['MistralForCausalLM'], model_type: 'mistral' };
const qwen2 = { architectures: ['Qwen2ForCausalLM'], model_type: 'qwen2' };
const qwen3 = { architectures: ['Qwen3ForCausalLM'], model_type: 'qwen3' };

interface Case {
  readonly title: string;
  readonly changes: Partial<RawConfig>;
  readonly dtype?: WeightDtype;
  readonly shards?: number;
}

const cases: Case[] = [
  { title: 'Llama', changes: {} },
  { title: 'Llama, tied, one key-value head', changes: { tie_word_embeddings: true, num_key_value_heads: 1 } },
  { title: 'Llama, heads too small for fused rotation', changes: { head_dim: 8 } },
  { title: 'Llama with biases', changes: { attention_bias: true, mlp_bias: true } },
  { title: 'Llama, F16 in two shards', changes: {}, dtype: 'F16', shards: 2 },
  { title: 'Llama, tied, BF16 in three shards', changes: { tie_word_embeddings: true }, dtype: 'BF16', shards: 3 },
  { title: 'linear rope scaling', changes: { rope_scaling: { type: 'linear', factor: 4 } } },
  { title: 'llama3 rope scaling', changes: { rope_scaling: { rope_type: 'llama3', ...LLAMA3_SCALING } } },
  {
    title: 'llama3 rope scaling as transformers 5 spells it, heads of 24',
    changes: { head_dim: 24, rope_parameters: { rope_type: 'llama3', rope_theta: 500, ...LLAMA3_SCALING } },
  },
  { title: 'Mistral without a window', changes: { ...mistral, sliding_window: null } },
  { title: 'Mistral with a window of 7', changes: { ...mistral, sliding_window: 7 }, dtype: 'BF16' },
  { title: 'Qwen2', changes: { ...qwen2, rope_theta: 1_000_000 }, dtype: 'BF16' },
  {
    title: 'Qwen2 with a window from block 1 on',
    changes: { ...qwen2, use_sliding_window: true, sliding_window: 5, max_window_layers: 1 },
  },
  { title: 'Qwen3', changes: { ...qwen3, head_dim: 32 }, dtype: 'BF16', shards: 2 },
  { title: 'Qwen3, tied, small heads, biases', changes: { ...qwen3, head_dim: 8, attention_bias: true } },
  {
    title: 'Qwen3 with a window in one block',
    changes: {
      ...qwen3,
      use_sliding_window: true,
      sliding_window: 4,
      layer_types: ['full_attention', 'sliding_attention', 'full_attention'],
    },
  },
  { title: 'Gemma 3, BF16 in two shards', changes: { ...GEMMA3, hidden_size: 40 }, dtype: 'BF16', shards: 2 },
  {
    title: 'Gemma 3 with scaled rope, heads of 8, one key-value head',
    changes: { ...GEMMA3, head_dim: 8, num_key_value_heads: 1, rope_scaling: { rope_type: 'linear', factor: 8 } },
  },
  {
    title: 'Gemma 3, F16, a head and biases of its own',
    changes: { ...GEMMA3, tie_word_embeddings: false, attention_bias: true },
    dtype: 'F16',
  },
  { title: 'Phi-3 with LongRoPE, F16 in two shards', changes: PHI3, dtype: 'F16', shards: 2 },
  {
    title: 'Phi-3 with a window, tied',
    changes: { ...PHI3, rope_scaling: null, sliding_window: 9, tie_word_embeddings: true },
  },
  {
    title: 'Phi-3 that turns half of heads of 32, within attention',
    changes: { ...PHI3, head_dim: 32, partial_rotary_factor: 0.5 },
  },
  {
    title: 'Phi-3 that turns half of heads of 16',
    changes: { ...PHI3, rope_scaling: null, partial_rotary_factor: 0.5 },
  },
  { title: 'SmolLM3, BF16', changes: SMOLLM3, dtype: 'BF16' },
  {
    title: 'SmolLM3 with small heads, biases, a window',
    changes: {
      ...SMOLLM3,
      head_dim: 8,
      attention_bias: true,
      mlp_bias: true,
      use_sliding_window: true,
      sliding_window: 5,
      layer_types: ['full_attention', 'sliding_attention', 'full_attention'],
    },
  },
  { title: 'Gemma 2, BF16', changes: GEMMA2, dtype: 'BF16' },
  {
    title: 'Gemma 2 without soft caps, small heads',
    changes: { ...GEMMA2, head_dim: 8, attn_logit_softcapping: null, final_logit_softcapping: null },
  },
  { title: 'Granite, F16', changes: GRANITE, dtype: 'F16' },
  {
    title: 'Granite, a head and biases of its own',
    changes: { ...GRANITE, tie_word_embeddings: false, attention_bias: true, mlp_bias: true },
  },
  { title: 'OLMo 2, BF16 in two shards', changes: OLMO2, dtype: 'BF16', shards: 2 },
  {
    title: 'OLMo 2, tied, small heads, biases',
    changes: { ...OLMO2, head_dim: 8, tie_word_embeddings: true, attention_bias: true },
  },
];

const IDS = Array.from({ length: 60 }, (_, position) => (position * position + 3 * position + 1) % 37);

test.each(cases)('$title: logits agree with a naive forward pass', async ({ changes, dtype = 'F32', shards = 1 }) => {
  const { folder, config, weights } = await randomCheckpoint(rawConfig(changes), { dtype, shards });
  const run = await openDecoder(await importCheckpoint(folder, { dtype: 'fp32' }));
  const expected = naiveDecoder(config, weights, IDS, dtype);

  const prompt = await run([IDS.slice(0, 50)]);
  let step = prompt;
  for (let token = 0; token < IDS.length; token++) {
    if (token >= 50) step = await run([[IDS[token]!]], { after: step });
    const logits = token < 50 ? logitsAt(prompt, 0, token) : logitsAt(step, 0, 0);
    expect(largestDifference(logits, expected[token]!), `token ${token}`).toBeLessThan(1e-4);
  }
});

test('the settings under test matter: without them the naive forward pass differs', async () => {
  const plain = await randomCheckpoint(rawConfig());
  const last = (config: RawConfig) => naiveDecoder(config, plain.weights, IDS).at(-1)!;
  const expected = last(rawConfig());
  const phi = await randomCheckpoint(rawConfig(PHI3));
  const lastOfPhi = (changes: Partial<RawConfig>) =>
    naiveDecoder(rawConfig({ ...PHI3, ...changes }), phi.weights, IDS).at(-1)!;
  for (const changes of [
    { rope_scaling: { ...PHI3.rope_scaling, short_factor: PHI3.rope_scaling.long_factor } },
    { original_max_position_embeddings: 192 },
    { sliding_window: 9 },
    { rope_scaling: null, partial_rotary_factor: 0.5 },
  ]) {
    expect(largestDifference(lastOfPhi(changes), lastOfPhi({}))).toBeGreaterThan(1e-3);
  }
  const gemma = await randomCheckpoint(rawConfig(GEMMA3));
  const lastOfGemma = (changes: Partial<RawConfig>, dtype: WeightDtype = 'F32') =>
    naiveDecoder(rawConfig({ ...GEMMA3, ...changes }), gemma.weights, IDS, dtype).at(-1)!;
  for (const [changes, dtype] of [
    [{}, 'BF16'],
    [{ attn_logit_softcapping: 0.5 }],
    [{ final_logit_softcapping: 2 }],
    [{ query_pre_attn_scalar: 16 }],
    [{ sliding_window: 59 }],
    [{ rope_local_base_freq: 100_000 }],
    [{ rope_theta: 1000 }],
    [{ rope_scaling: { rope_type: 'linear', factor: 8 } }],
    [{ layer_types: ['full_attention', 'sliding_attention', 'full_attention'] }],
  ] as const) {
    expect(largestDifference(lastOfGemma(changes, dtype), lastOfGemma({}))).toBeGreaterThan(1e-3);
  }
  for (const changes of [
    { rope_scaling: { type: 'linear', factor: 4 } },
    { rope_scaling: { rope_type: 'llama3', ...LLAMA3_SCALING } },
    { no_rope_layers: [1, 0, 1] },
    { embedding_multiplier: 3 },
    { residual_multiplier: 0.4 },
    { attention_multiplier: 0.3 },
    { logits_scaling: 2 },
    { ...mistral, sliding_window: 7 },
    { ...mistral, sliding_window: 59 },
  ]) {
    expect(largestDifference(last(rawConfig(changes)), expected)).toBeGreaterThan(1e-3);
  }
});

test.each<[string, WeightDtype, Partial<RawConfig>]>([
  ['Qwen3', 'F32', qwen3],
  ['Qwen3', 'F16', qwen3],
  ['Qwen3', 'BF16', qwen3],
  ['Qwen3 with heads of 8', 'F16', { ...qwen3, head_dim: 8 }],
  ['Phi-3', 'BF16', PHI3],
  ['SmolLM3', 'F16', SMOLLM3],
  ['Gemma 2', 'BF16', GEMMA2],
  ['Granite', 'F16', GRANITE],
  ['OLMo 2', 'F16', OLMO2],
  ['Gemma 3', 'F32', GEMMA3],
  ['Gemma 3', 'BF16', GEMMA3],
])('fp16 graph of %s over %s weights stays near', async (_, dtype, changes) => {
  const { folder, config, weights } = await randomCheckpoint(rawConfig(changes), { dtype });
  const imported = await importCheckpoint(folder, { dtype: 'fp16' });
  const run = await openDecoder(imported);
  const expected = naiveDecoder(config, weights, IDS, dtype);
  const prompt = await run([IDS.slice(0, 59)]);
  const step = await run([[IDS[59]!]], { after: prompt });

  expect(step.logits.type).toBe('float32');
  expect(step.cache['present.0.key']?.type).toBe('float16');
  const scale = Math.max(...expected[58]!.map(Math.abs));
  expect(largestDifference(logitsAt(prompt, 0, 58), expected[58]!)).toBeLessThan(0.01 * scale);
  expect(largestDifference(logitsAt(step, 0, 0), expected[59]!)).toBeLessThan(0.01 * scale);
});

test('hidden states of Gemma 3 beyond float16 do not spoil its fp16 graph', async () => {
  const { folder, config, weights } = await randomCheckpoint(rawConfig(GEMMA3), {
    gainOf: name => (name.endsWith('post_feedforward_layernorm.weight') ? 1e5 : 1),
  });
  const run = await openDecoder(await importCheckpoint(folder, { dtype: 'fp16' }));
  const { logits } = await run([IDS.slice(0, 20)]);
  const expected = naiveDecoder(config, weights, IDS.slice(0, 20));
  const scale = Math.max(...expected[19]!.map(Math.abs));
  expect(largestDifference((logits.data as Float32Array).slice(19 * 37), expected[19]!)).toBeLessThan(0.01 * scale);
});

test.each([
  ['within attention', {}],
  ['before attention', { rope_scaling: null, partial_rotary_factor: 0.5, max_position_embeddings: 96 }],
])('positions beyond the context that a rope is right for are refused, turned %s', async (_, changes) => {
  const { folder } = await randomCheckpoint(rawConfig({ ...PHI3, ...changes }));
  const imported = await importCheckpoint(folder, { dtype: 'fp32' });
  expect(imported.config.contextLength).toBe(96);
  const run = await openDecoder(imported);
  const ids = [...IDS, ...IDS];
  const full = await run([ids.slice(0, 96)]);
  await expect(run([ids.slice(0, 97)])).rejects.toThrow();
  await expect(run([[1]], { after: full })).rejects.toThrow();
});

test.each([16, 8])('attention in float16, as on CUDA, over heads of %i stays near', async head_dim => {
  const { folder, config, weights } = await randomCheckpoint(rawConfig({ ...qwen3, head_dim }), { dtype: 'F32' });
  const imported = await importCheckpoint(folder, { dtype: 'fp32' });
  const run = await openDecoder({ ...imported, model: halveAttention(imported.model) });
  const expected = naiveDecoder(config, weights, IDS);
  const prompt = await run([IDS.slice(0, 59)]);
  const step = await run([[IDS[59]!]], { after: prompt });

  expect(step.cache['present.0.key']?.type).toBe('float16');
  const scale = Math.max(...expected[58]!.map(Math.abs));
  const [first, next] = [logitsAt(prompt, 0, 58), logitsAt(step, 0, 0)];
  expect(largestDifference(first, expected[58]!)).toBeGreaterThan(1e-6 * scale);
  expect(largestDifference(first, expected[58]!)).toBeLessThan(0.002 * scale);
  expect(largestDifference(next, expected[59]!)).toBeLessThan(0.002 * scale);
});
