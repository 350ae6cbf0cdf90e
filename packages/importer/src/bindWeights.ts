import { CompressionError } from '@quern/core';
import type { DecoderConfig } from './decoderConfig.ts';
import type { StoredTensor } from './readSafetensorsHeader.ts';

/** A projection: weight `[outFeatures, inFeatures]` and bias `[outFeatures]`. */
export interface LinearWeight {
  readonly weight: StoredTensor;
  readonly bias: StoredTensor | null;
}

/** A stored projection of a block, which may hold several that read the same input. */
export interface Projection {
  /** Of its module, such as `q_proj`. */
  readonly name: string;
  readonly linear: LinearWeight;
  /** Output features of each part: one, or more where they are stored as one weight. */
  readonly sizes: readonly number[];
}

/** The weight of a norm, by the name of its module such as `input_layernorm`. */
export interface NormWeight {
  readonly module: string;
  readonly weight: StoredTensor;
}

/** What stands around a module: the norm before it, the one over what it gives; one of them at least. */
export interface ModuleNorms {
  readonly before: NormWeight | null;
  readonly after: NormWeight | null;
}

export interface BlockWeights {
  readonly attentionNorms: ModuleNorms;
  readonly feedForwardNorms: ModuleNorms;
  /** Three parts: queries, keys, values. */
  readonly queryKeyValue: readonly Projection[];
  readonly output: LinearWeight;
  /** `[headSize]`, or as many as there are features, where the architecture normalises queries and keys. */
  readonly queryNorm: StoredTensor | null;
  readonly keyNorm: StoredTensor | null;
  /** Two parts. */
  readonly gateUp: readonly Projection[];
  readonly down: LinearWeight;
}

export interface DecoderWeights {
  /** `[vocabularySize, hiddenSize]`. */
  readonly embedding: StoredTensor;
  /** The same shape; null where the embedding serves as head. */
  readonly head: StoredTensor | null;
  readonly finalNorm: StoredTensor;
  readonly blocks: readonly BlockWeights[];
}

const EMBEDDING = 'model.embed_tokens.weight';
const HEAD = 'lm_head.weight';
const SUPPORTED_DTYPES = ['F32', 'F16', 'BF16'];
/** Old checkpoints store the rotary frequencies, which follow from config.json. */
const DERIVED = /\.rotary_emb\.inv_freq$/;

/**
 * Finds every weight that the config calls for, and refuses what is left: a tensor that no node would read means that the
 * graph computes something else than the model.
 *
 * @throws CompressionError `MISSING_TENSOR`, `INVALID_SHAPE`, `UNSUPPORTED_MODEL` (element type, tensor of no use), each
 * naming the tensor
 */
export function bindWeights(config: DecoderConfig, tensors: ReadonlyMap<string, StoredTensor>): DecoderWeights {
  const used = new Set<string>();
  const take = (name: string, shape: readonly number[]): StoredTensor => {
    used.add(name);
    return checked(name, shape, tensors);
  };
  const linear = (name: string, shape: readonly [number, number], biased: boolean): LinearWeight => ({
    weight: take(`${name}.weight`, shape),
    bias: biased ? take(`${name}.bias`, [shape[0]]) : null,
  });
  const tableShape = [config.vocabularySize, config.hiddenSize];
  const embeddingName = config.tied && !tensors.has(EMBEDDING) ? HEAD : EMBEDDING;
  const weights: DecoderWeights = {
    embedding: take(embeddingName, tableShape),
    head: config.tied ? null : take(HEAD, tableShape),
    finalNorm: take('model.norm.weight', [config.hiddenSize]),
    blocks: Array.from({ length: config.blockCount }, (_, block) => bindBlock(config, block, { take, linear })),
  };
  if (config.tied) used.add(HEAD).add(EMBEDDING);
  refuseUnused(tensors, used, config.architecture);
  return weights;
}

interface Binder {
  take(name: string, shape: readonly number[]): StoredTensor;
  linear(name: string, shape: readonly [number, number], biased: boolean): LinearWeight;
}

/** Names of the norms of attention and of the feed-forward, each before and after. */
type ModuleNames = readonly [before: string | null, after: string | null];
const NORMS: Readonly<Record<DecoderConfig['norms'], readonly [ModuleNames, ModuleNames]>> = {
  before: [
    ['input_layernorm', null],
    ['post_attention_layernorm', null],
  ],
  after: [
    [null, 'post_attention_layernorm'],
    [null, 'post_feedforward_layernorm'],
  ],
  around: [
    ['input_layernorm', 'post_attention_layernorm'],
    ['pre_feedforward_layernorm', 'post_feedforward_layernorm'],
  ],
};

function bindBlock(config: DecoderConfig, block: number, { take, linear }: Binder): BlockWeights {
  const { hiddenSize, intermediateSize, headSize } = config;
  const prefix = `model.layers.${block}`;
  const querySize = config.headCount * headSize;
  const keyValueSize = config.keyValueHeadCount * headSize;
  const biased = config.attentionBias !== 'none';
  const norm = (module: string): NormWeight => ({ module, weight: take(`${prefix}.${module}.weight`, [hiddenSize]) });
  const project = (module: string, name: string, sizes: readonly number[], isBiased: boolean): Projection => {
    const outFeatures = sizes.reduce((sum, size) => sum + size, 0);
    return { name, sizes, linear: linear(`${prefix}.${module}.${name}`, [outFeatures, hiddenSize], isBiased) };
  };
  const [attentionNorms, feedForwardNorms] = NORMS[config.norms];
  const headNorm = (name: string, size: number): StoredTensor | null => {
    if (config.queryKeyNorm === 'none') return null;
    return take(`${prefix}.self_attn.${name}.weight`, [config.queryKeyNorm === 'whole' ? size : headSize]);
  };
  const norms = ([before, after]: ModuleNames): ModuleNorms => ({
    before: before ? norm(before) : null,
    after: after ? norm(after) : null,
  });
  return {
    attentionNorms: norms(attentionNorms),
    feedForwardNorms: norms(feedForwardNorms),
    queryKeyValue: config.fusedProjections
      ? [project('self_attn', 'qkv_proj', [querySize, keyValueSize, keyValueSize], biased)]
      : [
          project('self_attn', 'q_proj', [querySize], biased),
          project('self_attn', 'k_proj', [keyValueSize], biased),
          project('self_attn', 'v_proj', [keyValueSize], biased),
        ],
    output: linear(`${prefix}.self_attn.o_proj`, [hiddenSize, querySize], config.attentionBias === 'all'),
    queryNorm: headNorm('q_norm', querySize),
    keyNorm: headNorm('k_norm', keyValueSize),
    gateUp: config.fusedProjections
      ? [project('mlp', 'gate_up_proj', [intermediateSize, intermediateSize], config.mlpBias)]
      : [
          project('mlp', 'gate_proj', [intermediateSize], config.mlpBias),
          project('mlp', 'up_proj', [intermediateSize], config.mlpBias),
        ],
    down: linear(`${prefix}.mlp.down_proj`, [hiddenSize, intermediateSize], config.mlpBias),
  };
}

function checked(name: string, shape: readonly number[], tensors: ReadonlyMap<string, StoredTensor>): StoredTensor {
  const tensor = tensors.get(name);
  if (!tensor) {
    const hint =
      name === HEAD ? ' If head and embedding are one weight, config.json must set tie_word_embeddings.' : '';
    throw new CompressionError(
      'MISSING_TENSOR',
      `the checkpoint has no tensor ${name} [${shape.join(', ')}], which config.json calls for. Download the checkpoint again.${hint}`,
      { name, shape },
    );
  }
  if (tensor.shape.length !== shape.length || tensor.shape.some((size, axis) => size !== shape[axis])) {
    throw new CompressionError(
      'INVALID_SHAPE',
      `tensor ${name} is [${tensor.shape.join(', ')}], config.json calls for [${shape.join(', ')}]. Take config.json and weights of one model.`,
      { name, shape: tensor.shape, wanted: shape },
    );
  }
  if (!SUPPORTED_DTYPES.includes(tensor.dtype)) {
    throw new CompressionError(
      'UNSUPPORTED_MODEL',
      `tensor ${name} is stored as ${tensor.dtype}; supported: ${SUPPORTED_DTYPES.join(', ')}. Pass the original checkpoint.`,
      { name, dtype: tensor.dtype },
    );
  }
  return tensor;
}

function refuseUnused(
  tensors: ReadonlyMap<string, StoredTensor>,
  used: ReadonlySet<string>,
  architecture: string,
): void {
  const unused = [...tensors.keys()].filter(name => !used.has(name) && !DERIVED.test(name));
  if (unused.length === 0) return;
  throw new CompressionError(
    'UNSUPPORTED_MODEL',
    `${unused.length} tensors have no place in ${architecture} as config.json describes it, such as ${unused[0]}. Take config.json and weights of one model, without adapters or extra heads.`,
    { architecture, unused: unused.slice(0, 10) },
  );
}
