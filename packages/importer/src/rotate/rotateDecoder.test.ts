import { createModel, createWeightStore, DataType, type OnnxModel, readFloats, tensorInput } from '@quern/onnx';
import { describe, expect, it } from 'vitest';
import { type ImportedModel, importCheckpoint } from '../importCheckpoint.ts';
import { largestDifference } from '../testSupport/largestDifference.ts';
import { openDecoder } from '../testSupport/openDecoder.ts';
import { randomCheckpoint } from '../testSupport/randomCheckpoint.ts';
import { GEMMA3, GRANITE, OLMO2, PHI3, type RawConfig, rawConfig, SMOLLM3 } from '../testSupport/rawConfig.ts';
import { temporaryFolder } from '../testSupport/temporaryFolder.ts';
import { rotateDecoder } from './rotateDecoder.ts';

async function rotated({ model, config }: ImportedModel, seed = 5): Promise<ImportedModel> {
  const store = createWeightStore({ folder: await temporaryFolder(), fileName: 'rotated.data' });
  const result = await rotateDecoder(model, { seed, store });
  await store.close();
  return { model: result, config };
}

/** Logits of a prompt and of a step that reads the cache. */
async function logitsOf(imported: ImportedModel): Promise<number[]> {
  const run = await openDecoder(imported);
  const prompt = [
    [3, 1, 4, 1, 5, 9, 2, 6],
    [11, 12, 13, 14, 15, 16, 17, 18],
  ];
  const first = await run(prompt);
  const second = await run([[7], [30]], { after: first });
  return [...(first.logits.data as Float32Array), ...(second.logits.data as Float32Array)];
}

const floats = async (model: OnnxModel, name: string): Promise<Float32Array> =>
  readFloats(model, model.proto.graph!.initializer.find(tensor => tensor.name === name)!);

const LLAMA = rawConfig({ attention_bias: true, mlp_bias: true });
const ARCHITECTURES: readonly (readonly [string, RawConfig])[] = [
  ['Llama with biases and a head of its own', LLAMA],
  ['Llama whose head is the embedding', { ...LLAMA, tie_word_embeddings: true }],
  [
    'Mistral',
    rawConfig({ architectures: ['MistralForCausalLM'], model_type: 'mistral', sliding_window: 4, hidden_size: 20 }),
  ],
  ['Qwen2', rawConfig({ architectures: ['Qwen2ForCausalLM'], model_type: 'qwen2', tie_word_embeddings: true })],
  [
    'Qwen3, of a width without a Hadamard matrix',
    rawConfig({ architectures: ['Qwen3ForCausalLM'], model_type: 'qwen3', hidden_size: 52 }),
  ],
  ['Phi-3, whose projections are fused', rawConfig(PHI3)],
  ['SmolLM3', rawConfig(SMOLLM3)],
  ['Granite, tied', rawConfig(GRANITE)],
];

describe('a rotated decoder', () => {
  it.each(ARCHITECTURES)('gives the logits of the original: %s', async (_, config) => {
    const { folder } = await randomCheckpoint(config);
    const original = await importCheckpoint(folder, { dtype: 'fp32' });
    const turned = await rotated(original);
    const [before, after] = [await logitsOf(original), await logitsOf(turned)];
    const scale = Math.max(...before.map(Math.abs));
    expect(largestDifference(before, after)).toBeLessThan(2e-5 * scale);
    // And yet other weights: every one that touches the hidden state.
    const first = config.model_type === 'phi3' ? 'qkv_proj' : 'q_proj';
    for (const name of ['model.embed_tokens.weight', `model.layers.1.attn.${first}.MatMul.weight`]) {
      const [own, other] = [await floats(original.model, name), await floats(turned.model, name)];
      expect(largestDifference(own, other)).toBeGreaterThan(0.1);
    }
  });

  it.each(['F16', 'BF16'] as const)('in the arithmetic of its graph, from %s', async dtype => {
    const { folder } = await randomCheckpoint({ ...LLAMA, tie_word_embeddings: true }, { dtype });
    for (const compute of ['fp32', 'fp16'] as const) {
      const original = await importCheckpoint(folder, { dtype: compute });
      const [before, after] = [await logitsOf(original), await logitsOf(await rotated(original))];
      const scale = Math.max(...before.map(Math.abs));
      const tolerance = compute === 'fp32' ? 2e-5 : 2e-2;
      expect(largestDifference(before, after)).toBeLessThan(tolerance * scale);
    }
  });

  it('spreads a channel that stands out over all others', async () => {
    const { folder } = await randomCheckpoint(rawConfig({ hidden_size: 64 }), {
      edit: tensors =>
        tensors.map(tensor => {
          if (!tensor.name.endsWith('input_layernorm.weight')) return tensor;
          const values = new Float32Array(tensor.bytes.slice().buffer);
          values[9]! *= 50;
          return { ...tensor, bytes: new Uint8Array(values.buffer) };
        }),
    });
    const original = await importCheckpoint(folder, { dtype: 'fp32' });
    const name = 'model.layers.0.attn.q_proj.MatMul.weight';
    const gains = await floats(original.model, 'model.layers.0.input_layernorm.weight');
    const plain = (await floats(original.model, name)).map((value, at) => value * gains[at % 64]!);
    const turned = await floats((await rotated(original)).model, name);
    const crest = (values: Float32Array): number =>
      Math.max(...values.map(Math.abs)) /
      Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
    expect(crest(plain)).toBeGreaterThan(10);
    expect(crest(turned)).toBeLessThan(5);
  });

  it('depends on the seed alone', async () => {
    const { folder } = await randomCheckpoint(rawConfig({ num_hidden_layers: 1 }));
    const original = await importCheckpoint(folder, { dtype: 'fp32' });
    const weightOf = async (seed: number) => floats((await rotated(original, seed)).model, 'model.embed_tokens.weight');
    expect(await weightOf(1)).toEqual(await weightOf(1));
    expect(await weightOf(2)).not.toEqual(await weightOf(1));
  });
});

it.each([
  ['Gemma 3', GEMMA3],
  ['OLMo 2', OLMO2],
])('refuses a decoder that normalises what its blocks give: %s', async (_, changes) => {
  const { folder } = await randomCheckpoint(rawConfig(changes));
  const original = await importCheckpoint(folder, { dtype: 'fp32' });
  await expect(rotated(original)).rejects.toMatchObject({
    code: 'UNSUPPORTED_MODEL',
    message: expect.stringMatching(/post_feedforward_layernorm.*Leave --rotate away/),
  });
});

it('refuses a graph of which it does not know what each weight is', async () => {
  const input = tensorInput('x', DataType.FLOAT, [1]);
  const model = createModel({ folder: '.', inputs: [input], outputs: [input], initializers: [], nodes: [] });
  const store = createWeightStore({ folder: await temporaryFolder(), fileName: 'rotated.data' });
  await expect(rotateDecoder(model, { seed: 0, store })).rejects.toMatchObject({ code: 'UNSUPPORTED_MODEL' });
  await store.abort();
});
