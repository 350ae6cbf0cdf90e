import { join } from 'node:path';
import { CompressionError } from '@quern/core';
import { configFields } from './configFields.ts';
import type { DecoderConfig, Rope } from './decoderConfig.ts';
import { findArchitecture } from './findArchitecture.ts';
import { invalidConfig } from './invalidConfig.ts';
import { readFactors } from './readFactors.ts';
import { readHeads } from './readHeads.ts';
import { readJsonObject } from './readJsonObject.ts';
import { readRopes } from './readRopes.ts';
import { readSlidingWindows } from './readSlidingWindows.ts';
import { readTurnedBlocks } from './readTurnedBlocks.ts';

/** Far above any published decoder; keeps a broken file from asking for endless graphs and tables. */
const BLOCK_LIMIT = 1024;
const CONTEXT_LIMIT = 2 ** 24;

/**
 * Reads config.json (and the end tokens of generation_config.json) of a Hugging Face decoder.
 *
 * Absent keys take the defaults of transformers' config classes, except sizes of the network, which must be given.
 *
 * @param folder the checkpoint's folder
 * @throws CompressionError `MODEL_NOT_FOUND` without config.json; `INVALID_CONFIG` for values that make no sense;
 * `ALREADY_QUANTIZED`; `UNSUPPORTED_MODEL` for everything that the graph builder would get wrong
 */
export async function readDecoderConfig(folder: string): Promise<DecoderConfig> {
  const where = join(folder, 'config.json');
  const raw = await readJsonObject(where);
  if (raw === null) {
    const text = `${where} does not exist. Pass a Hugging Face folder or a .onnx file.`;
    throw new CompressionError('MODEL_NOT_FOUND', text, { where });
  }
  const { name, architecture } = findArchitecture(raw, where);
  if ((raw.quantization_config ?? null) !== null) {
    const text = `${where} has a quantization_config: the weights are quantised already. Pass the original checkpoint.`;
    throw new CompressionError('ALREADY_QUANTIZED', text, { where, quantization: raw.quantization_config });
  }
  const fields = configFields(raw, where);
  const limited = (key: string, limit: number): number => {
    const value = fields.count(key);
    if (value > limit)
      throw invalidConfig(`${where}: ${key} is ${value}, the limit is ${limit}`, { where, key, value });
    return value;
  };
  const blockCount = limited('num_hidden_layers', BLOCK_LIMIT);
  const turned = readTurnedBlocks(raw, { blockCount, architecture, where });
  const slidingWindows = readSlidingWindows(raw, { turned, architecture, where });
  const heads = readHeads(raw, { defaultHeadSize: architecture.defaultHeadSize, where });
  const ropes = readRopes(raw, { architecture, headSize: heads.headSize, where });
  const contextLength = Math.min(limited('max_position_embeddings', CONTEXT_LIMIT), contextOf(ropes.full));
  const biases = fields.flag('attention_bias', false) ? 'all' : 'none';
  return {
    modelType: architecture.modelType,
    architecture: name,
    hiddenSize: fields.count('hidden_size'),
    intermediateSize: fields.count('intermediate_size'),
    blockCount,
    ...heads,
    vocabularySize: fields.count('vocab_size'),
    contextLength,
    normEpsilon: fields.positive('rms_norm_eps', 1e-6),
    bosTokenId: fields.tokenIds('bos_token_id')[0] ?? null,
    eosTokenIds: await readEndTokens(folder, fields.tokenIds('eos_token_id')),
    padTokenId: fields.tokenIds('pad_token_id')[0] ?? null,
    tied: fields.flag('tie_word_embeddings', architecture.defaultTied),
    attentionBias: architecture.attentionBias === 'config' ? biases : architecture.attentionBias,
    mlpBias: architecture.mlpBias === 'config' && fields.flag('mlp_bias', false),
    queryKeyNorm: architecture.queryKeyNorm,
    ...readFactors(raw, { architecture, headSize: heads.headSize, where }),
    activation: architecture.activation,
    fusedProjections: architecture.fusedProjections,
    norms: architecture.norms,
    gainOffset: architecture.gainOffset,
    outgrowsFloat16: architecture.outgrowsFloat16,
    blocks: slidingWindows.map((window, block) => {
      const rope = window === null ? ropes.full : ropes.sliding;
      // A window of all positions is none, and kernels are faster without.
      const slidingWindow = window !== null && window < contextLength ? window : null;
      return { slidingWindow, rope: turned[block] ? rope : null };
    }),
    raw,
  };
}

/** How many positions a rope is right for. */
function contextOf({ scaling }: Rope): number {
  return scaling.type === 'longrope' ? scaling.originalContextLength : Number.POSITIVE_INFINITY;
}

async function readEndTokens(folder: string, fromConfig: number[]): Promise<number[]> {
  const path = join(folder, 'generation_config.json');
  const generation = await readJsonObject(path);
  const ids = generation === null ? [] : configFields(generation, path).tokenIds('eos_token_id');
  return ids.length > 0 ? ids : fromConfig;
}
