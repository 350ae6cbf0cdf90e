import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeFloats, type WeightDtype } from './encodeFloats.ts';
import type { RawConfig } from './rawConfig.ts';
import { temporaryFolder } from './temporaryFolder.ts';
import { type TensorBytes, writeSafetensors } from './writeSafetensors.ts';

/** A checkpoint on disk, with the values that its bytes stand for. */
export interface RandomCheckpoint {
  readonly folder: string;
  readonly config: RawConfig;
  readonly weights: ReadonlyMap<string, Float64Array>;
  readonly dtype: WeightDtype;
}

export interface RandomCheckpointOptions {
  readonly dtype?: WeightDtype;
  /** 1 writes model.safetensors, more write shards and their index. */
  readonly shards?: number;
  /** What values are multiplied by, by the tensor's name. */
  readonly gainOf?: (name: string) => number;
  /** Leaves tensors out, or changes them, before they are written. */
  readonly edit?: (tensors: TensorBytes[]) => TensorBytes[];
}

/** Writes a random checkpoint of any supported decoder into a fresh temporary folder, the same every time. */
export async function randomCheckpoint(
  config: RawConfig,
  { dtype = 'F32', shards = 1, gainOf = () => 1, edit = tensors => tensors }: RandomCheckpointOptions = {},
): Promise<RandomCheckpoint> {
  const folder = await temporaryFolder();
  const random = uniform(1234);
  const weights = new Map<string, Float64Array>();
  const isGemma = config.model_type.startsWith('gemma');
  const meanGain = isGemma ? 0 : 1; // Gemma adds 1 itself
  const all = tensorShapes(config).map(([name, shape]): TensorBytes => {
    const isNorm = name.endsWith('norm.weight');
    const size = shape.reduce((product, length) => product * length, 1);
    const values = Float64Array.from({ length: size }, () => (isNorm ? meanGain + random() : 0.6 * random()));
    const { bytes, rounded } = encodeFloats(
      values.map(value => value * gainOf(name)),
      dtype,
    );
    weights.set(name, rounded);
    return { name, dtype, shape, bytes };
  });
  const tensors = edit(all);
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  if (shards === 1) {
    await writeSafetensors(join(folder, 'model.safetensors'), tensors);
    return { folder, config, weights, dtype };
  }
  const weightMap: Record<string, string> = {};
  for (let shard = 0; shard < shards; shard++) {
    const file = `model-0000${shard + 1}-of-0000${shards}.safetensors`;
    const own = tensors.filter((_, index) => index % shards === shard);
    for (const { name } of own) weightMap[name] = file;
    await writeSafetensors(join(folder, file), own);
  }
  await writeFile(join(folder, 'model.safetensors.index.json'), JSON.stringify({ weight_map: weightMap }));
  return { folder, config, weights, dtype };
}

function tensorShapes(config: RawConfig): [string, number[]][] {
  const { hidden_size: hidden, intermediate_size: inner, head_dim: head, vocab_size: vocabulary } = config;
  const query = config.num_attention_heads * head;
  const keyValue = config.num_key_value_heads * head;
  const shapes: [string, number[]][] = [
    ['model.embed_tokens.weight', [vocabulary, hidden]],
    ['model.norm.weight', [hidden]],
  ];
  if (!config.tie_word_embeddings) shapes.push(['lm_head.weight', [vocabulary, hidden]]);
  for (let block = 0; block < config.num_hidden_layers; block++) {
    const prefix = `model.layers.${block}`;
    shapes.push(
      ...(config.model_type === 'olmo2'
        ? ([
            [`${prefix}.post_feedforward_layernorm.weight`, [hidden]],
            [`${prefix}.self_attn.q_norm.weight`, [query]],
            [`${prefix}.self_attn.k_norm.weight`, [keyValue]],
          ] satisfies [string, number[]][])
        : ([[`${prefix}.input_layernorm.weight`, [hidden]]] satisfies [string, number[]][])),
      [`${prefix}.post_attention_layernorm.weight`, [hidden]],
      ...(config.model_type === 'phi3'
        ? ([
            [`${prefix}.self_attn.qkv_proj.weight`, [query + 2 * keyValue, hidden]],
            [`${prefix}.mlp.gate_up_proj.weight`, [2 * inner, hidden]],
          ] satisfies [string, number[]][])
        : ([
            [`${prefix}.self_attn.q_proj.weight`, [query, hidden]],
            [`${prefix}.self_attn.k_proj.weight`, [keyValue, hidden]],
            [`${prefix}.self_attn.v_proj.weight`, [keyValue, hidden]],
            [`${prefix}.mlp.gate_proj.weight`, [inner, hidden]],
            [`${prefix}.mlp.up_proj.weight`, [inner, hidden]],
          ] satisfies [string, number[]][])),
      [`${prefix}.self_attn.o_proj.weight`, [hidden, query]],
      [`${prefix}.mlp.down_proj.weight`, [hidden, inner]],
    );
    if (config.attention_bias || config.model_type === 'qwen2') {
      shapes.push([`${prefix}.self_attn.q_proj.bias`, [query]]);
      shapes.push([`${prefix}.self_attn.k_proj.bias`, [keyValue]]);
      shapes.push([`${prefix}.self_attn.v_proj.bias`, [keyValue]]);
    }
    if (config.attention_bias) shapes.push([`${prefix}.self_attn.o_proj.bias`, [hidden]]);
    if (config.mlp_bias) {
      shapes.push([`${prefix}.mlp.gate_proj.bias`, [inner]], [`${prefix}.mlp.up_proj.bias`, [inner]]);
      shapes.push([`${prefix}.mlp.down_proj.bias`, [hidden]]);
    }
    if (config.model_type.startsWith('gemma')) {
      shapes.push([`${prefix}.pre_feedforward_layernorm.weight`, [hidden]]);
      shapes.push([`${prefix}.post_feedforward_layernorm.weight`, [hidden]]);
    }
    if (config.model_type === 'qwen3' || config.model_type === 'gemma3_text') {
      shapes.push([`${prefix}.self_attn.q_norm.weight`, [head]], [`${prefix}.self_attn.k_norm.weight`, [head]]);
    }
  }
  return shapes;
}

/** Numbers from -1/2 to 1/2 (mulberry32). */
function uniform(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32 - 0.5;
  };
}
