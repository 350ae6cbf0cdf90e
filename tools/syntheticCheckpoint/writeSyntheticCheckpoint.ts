import { copyFile, type FileHandle, mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { families } from './families.ts';
import { planShards, type TensorPlan } from './planShards.ts';
import { randomRows } from './randomRows.ts';
import type { CheckpointShape } from './shapes.ts';

/** Bytes of float32 values that are made at once. */
const PIECE_BYTES = 16e6;

/**
 * Writes a checkpoint of a real model's shape in one shard per block, a few megabytes in memory at a time; same shape, same
 * bytes. The tokenizer of `tokenizerFolder` goes with it: the rows of the embedding beyond its vocabulary are never read.
 */
export async function writeSyntheticCheckpoint(
  folder: string,
  shape: CheckpointShape,
  tokenizerFolder: string,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const shards = planShards(shape);
  const weightMap: Record<string, string> = {};
  for (const [index, tensors] of shards.entries()) {
    const file = `model-${String(index + 1).padStart(5, '0')}-of-${String(shards.length).padStart(5, '0')}.safetensors`;
    for (const tensor of tensors) weightMap[tensor.name] = file;
    await writeShard(join(folder, file), tensors, 1000 * (index + 1));
  }
  await writeJson(join(folder, 'model.safetensors.index.json'), { metadata: {}, weight_map: weightMap });
  for (const name of ['tokenizer.json', 'tokenizer_config.json']) {
    await copyFile(join(tokenizerFolder, name), join(folder, name));
  }
  // Last, so that a folder with a config.json is whole.
  await writeJson(join(folder, 'config.json'), {
    architectures: [families[shape.modelType].architecture],
    model_type: shape.modelType,
    hidden_size: shape.hiddenSize,
    intermediate_size: shape.intermediateSize,
    num_hidden_layers: shape.blockCount,
    num_attention_heads: shape.headCount,
    num_key_value_heads: shape.keyValueHeadCount,
    head_dim: shape.headSize,
    max_position_embeddings: shape.contextLength,
    rms_norm_eps: 1e-5,
    rope_theta: shape.ropeTheta,
    ...(shape.ropeScaling ? { rope_scaling: shape.ropeScaling } : {}),
    tie_word_embeddings: shape.tied,
    vocab_size: shape.vocabularySize,
    bos_token_id: 0,
    eos_token_id: 0,
    torch_dtype: 'bfloat16',
    ...(shape.settings ?? { hidden_act: 'silu' }),
  });
}

async function writeShard(path: string, tensors: readonly TensorPlan[], seed: number): Promise<void> {
  const header: Record<string, unknown> = {};
  let offset = 0;
  for (const { name, rows, columns } of tensors) {
    const bytes = 2 * rows * Math.max(1, columns);
    header[name] = { dtype: 'BF16', shape: columns ? [rows, columns] : [rows], data_offsets: [offset, offset + bytes] };
    offset += bytes;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const file = await open(path, 'w');
  try {
    await file.writeFile(new Uint8Array(new BigUint64Array([BigInt(json.length)]).buffer));
    await file.writeFile(json);
    for (const [index, plan] of tensors.entries()) await writeTensor(file, plan, seed + index);
  } finally {
    await file.close();
  }
}

async function writeTensor(file: FileHandle, plan: TensorPlan, seed: number): Promise<void> {
  const next = randomRows(plan, seed);
  const piece = Math.max(1, Math.floor(PIECE_BYTES / (4 * Math.max(1, plan.columns))));
  for (let row = 0; row < plan.rows; row += piece) {
    await file.writeFile(toBfloat16(next(Math.min(piece, plan.rows - row))));
  }
}

function toBfloat16(values: Float32Array<ArrayBuffer>): Uint8Array {
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
