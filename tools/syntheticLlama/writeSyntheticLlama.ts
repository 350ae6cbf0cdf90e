import { copyFile, mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createRandom, type Random } from './random.ts';

/** Sizes of a Llama. Weights are bf16, the head is tied. */
export interface LlamaShape {
  readonly blockCount: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly headCount: number;
  readonly keyValueHeadCount: number;
  readonly vocabularySize: number;
  readonly contextLength: number;
}

export const shapes: Readonly<Record<string, LlamaShape>> = {
  '350m': {
    blockCount: 24,
    hiddenSize: 1024,
    intermediateSize: 2816,
    headCount: 16,
    keyValueHeadCount: 16,
    vocabularySize: 32000,
    contextLength: 2048,
  },
  wide2048: {
    blockCount: 4,
    hiddenSize: 2048,
    intermediateSize: 8192,
    headCount: 32,
    keyValueHeadCount: 8,
    vocabularySize: 8192,
    contextLength: 2048,
  },
};

interface TensorPlan {
  readonly name: string;
  readonly rows: number;
  /** 0 for a vector of ones. */
  readonly columns: number;
}

/** Rank of the structured part of every weight, its share of the energy, and the channels that stick out. */
const STRUCTURE_RANK = 8;
const STRUCTURE_SHARE = 0.5;
const OUTLIER_EVERY = 97;
const OUTLIER_FACTOR = 6;

/**
 * Writes a checkpoint of a real model's shape in one shard per block, one tensor in memory at a time. A weight is a decaying
 * low-rank part plus noise with a few loud input channels, so that solvers meet something like a trained weight; the
 * model itself knows nothing. The tokenizer of the demo model goes with it.
 */
export async function writeSyntheticLlama(folder: string, shape: LlamaShape, tokenizerFolder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const shards = planShards(shape);
  const weightMap: Record<string, string> = {};
  for (const [index, tensors] of shards.entries()) {
    const file = `model-${String(index + 1).padStart(5, '0')}-of-${String(shards.length).padStart(5, '0')}.safetensors`;
    for (const tensor of tensors) weightMap[tensor.name] = file;
    await writeShard(join(folder, file), tensors, createRandom(index + 1));
  }
  await writeJson(join(folder, 'model.safetensors.index.json'), { metadata: {}, weight_map: weightMap });
  await writeJson(join(folder, 'config.json'), {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_act: 'silu',
    hidden_size: shape.hiddenSize,
    intermediate_size: shape.intermediateSize,
    num_hidden_layers: shape.blockCount,
    num_attention_heads: shape.headCount,
    num_key_value_heads: shape.keyValueHeadCount,
    max_position_embeddings: shape.contextLength,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    tie_word_embeddings: true,
    vocab_size: shape.vocabularySize,
    bos_token_id: 0,
    eos_token_id: 0,
    torch_dtype: 'bfloat16',
  });
  for (const name of ['tokenizer.json', 'tokenizer_config.json']) {
    await copyFile(join(tokenizerFolder, name), join(folder, name));
  }
}

function planShards(shape: LlamaShape): TensorPlan[][] {
  const { hiddenSize, intermediateSize, headCount, keyValueHeadCount } = shape;
  const keyValueSize = (hiddenSize / headCount) * keyValueHeadCount;
  const shards: TensorPlan[][] = [
    [
      { name: 'model.embed_tokens.weight', rows: shape.vocabularySize, columns: hiddenSize },
      { name: 'model.norm.weight', rows: hiddenSize, columns: 0 },
    ],
  ];
  for (let block = 0; block < shape.blockCount; block++) {
    const prefix = `model.layers.${block}`;
    shards.push([
      { name: `${prefix}.input_layernorm.weight`, rows: hiddenSize, columns: 0 },
      { name: `${prefix}.post_attention_layernorm.weight`, rows: hiddenSize, columns: 0 },
      { name: `${prefix}.self_attn.q_proj.weight`, rows: hiddenSize, columns: hiddenSize },
      { name: `${prefix}.self_attn.k_proj.weight`, rows: keyValueSize, columns: hiddenSize },
      { name: `${prefix}.self_attn.v_proj.weight`, rows: keyValueSize, columns: hiddenSize },
      { name: `${prefix}.self_attn.o_proj.weight`, rows: hiddenSize, columns: hiddenSize },
      { name: `${prefix}.mlp.gate_proj.weight`, rows: intermediateSize, columns: hiddenSize },
      { name: `${prefix}.mlp.up_proj.weight`, rows: intermediateSize, columns: hiddenSize },
      { name: `${prefix}.mlp.down_proj.weight`, rows: hiddenSize, columns: intermediateSize },
    ]);
  }
  return shards;
}

async function writeShard(path: string, tensors: readonly TensorPlan[], random: Random): Promise<void> {
  const header: Record<string, unknown> = {};
  let offset = 0;
  for (const { name, rows, columns } of tensors) {
    const bytes = 2 * rows * Math.max(1, columns);
    header[name] = { dtype: 'BF16', shape: columns ? [rows, columns] : [rows], data_offsets: [offset, offset + bytes] };
    offset += bytes;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const length = new BigUint64Array([BigInt(json.length)]);
  const file = await open(path, 'w');
  try {
    await file.write(new Uint8Array(length.buffer));
    await file.write(json);
    for (const { rows, columns } of tensors) {
      const values = columns === 0 ? new Float32Array(rows).fill(1) : randomWeight(rows, columns, random);
      await file.write(toBfloat16(values));
    }
  } finally {
    await file.close();
  }
}

function randomWeight(rows: number, columns: number, random: Random): Float32Array {
  const left = normals(rows * STRUCTURE_RANK, random);
  const right = normals(STRUCTURE_RANK * columns, random);
  const weight = new Float32Array(rows * columns);
  const noise = Math.sqrt((1 - STRUCTURE_SHARE) / columns);
  // Component r carries 1/(r+1)^2 of the energy before normalisation: a decaying spectrum.
  const energies = Float64Array.from({ length: STRUCTURE_RANK }, (_, rank) => (rank + 1) ** -2);
  const total = energies.reduce((sum, energy) => sum + energy, 0);
  const gains = energies.map(energy => Math.sqrt((STRUCTURE_SHARE * energy) / (total * columns)));
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) weight[row * columns + column] = noise * random.normal();
    for (let rank = 0; rank < STRUCTURE_RANK; rank++) {
      const gain = gains[rank]! * left[row * STRUCTURE_RANK + rank]!;
      for (let column = 0; column < columns; column++)
        weight[row * columns + column]! += gain * right[rank * columns + column]!;
    }
    for (let column = 0; column < columns; column += OUTLIER_EVERY) weight[row * columns + column]! *= OUTLIER_FACTOR;
  }
  return weight;
}

function normals(count: number, random: Random): Float32Array {
  return Float32Array.from({ length: count }, () => random.normal());
}

function toBfloat16(values: Float32Array): Uint8Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const result = new Uint16Array(values.length);
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!;
    result[index] = (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return new Uint8Array(result.buffer);
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFile(path, `${JSON.stringify(value, null, 2)}\n`);
}
