import type { Activation, QueryKeyNorm } from './decoderConfig.ts';

/** What transformers hard-codes in a model's class, so that config.json does not say it. */
export interface Architecture {
  readonly modelType: string;
  /** `config`: `attention_bias` decides, for all four projections. */
  readonly attentionBias: 'config' | 'queryKeyValue' | 'none';
  readonly mlpBias: 'config' | 'none';
  /** Whether queries, keys and values are stored as one weight, gate and up as another. */
  readonly fusedProjections: boolean;
  /** Of the gated feed-forward; config.json may name no other, under `activationKey`. */
  readonly activation: Activation;
  readonly activationKey: 'hidden_act' | 'hidden_activation';
  /** Queries and keys are normalised before they turn: each head on its own, or all of them as one. */
  readonly queryKeyNorm: QueryKeyNorm;
  /** Heads are this large when `head_dim` is absent; null means hidden size / heads. */
  readonly defaultHeadSize: number | null;
  /**
   * `everyBlock`: `sliding_window` holds for all; `laterBlocks`: `use_sliding_window`, `max_window_layers`, `layer_types`; `byPattern`:
   * `layer_types`, else all but the last of so many (`sliding_window_pattern`); `unturnedBlocks`: `use_sliding_window`, `layer_types`, else blocks
   * without rope.
   */
  readonly slidingWindow: 'none' | 'everyBlock' | 'laterBlocks' | 'byPattern' | 'unturnedBlocks';
  /** Where `sliding_window` is absent; an explicit null means no window. */
  readonly defaultWindow: number | null;
  /** Where `sliding_window_pattern` is absent. */
  readonly defaultPattern: number;
  /** `byKind`: blocks with a window have their own theta, unscaled; `someBlocks`: by `no_rope_layers`, else all but each fourth. */
  readonly rope: 'allBlocks' | 'byKind' | 'someBlocks';
  readonly defaultTheta: number;
  /** Whether `partial_rotary_factor` may be below 1. */
  readonly partialRotation: boolean;
  /** Whether there is LongRoPE, by `original_max_position_embeddings`. */
  readonly longRope: boolean;
  /** Scores are divided by the root of the head size, or of `query_pre_attn_scalar`; or multiplied by `attention_multiplier`. */
  readonly attentionScale: 'headSize' | 'queryPreAttnScalar' | 'multiplier';
  /** Bounds of scores and logits, by tanh, where `attn_logit_softcapping` and `final_logit_softcapping` are absent; null for a class without. */
  readonly defaultSoftcaps: { readonly attention: number; readonly logits: number } | null;
  /** Where norms stand: `before` attention and feed-forward, `after` them over what they give before it is added, or both: `around`. */
  readonly norms: 'before' | 'after' | 'around';
  /** What is added to the stored weight of a norm. */
  readonly gainOffset: 0 | 1;
  /** What embeddings are multiplied by; `config`: `embedding_multiplier`, and the hidden state and logits have their factors too. */
  readonly factors: 'none' | 'rootOfHiddenSize' | 'config';
  /** Whether hidden states between modules outgrow float16 in published checkpoints. */
  readonly outgrowsFloat16: boolean;
  /** Whether it was trained with BOS before every text, and says little of a text without. */
  readonly bosEverywhere: boolean;
  readonly defaultTied: boolean;
  /** Settings that the class has and that are supported with one value only. */
  readonly fixed: Readonly<Record<string, unknown>>;
}

const LLAMA: Architecture = {
  modelType: 'llama',
  attentionBias: 'config',
  mlpBias: 'config',
  fusedProjections: false,
  activation: 'silu',
  activationKey: 'hidden_act',
  queryKeyNorm: 'none',
  defaultHeadSize: null,
  slidingWindow: 'none',
  defaultWindow: 4096,
  defaultPattern: 6,
  rope: 'allBlocks',
  defaultTheta: 10000,
  partialRotation: false,
  longRope: false,
  attentionScale: 'headSize',
  defaultSoftcaps: null,
  norms: 'before',
  gainOffset: 0,
  factors: 'none',
  outgrowsFloat16: false,
  bosEverywhere: false,
  defaultTied: false,
  fixed: {},
};

/** What Gemma 2 and Gemma 3 have in common. */
const GEMMA: Omit<Architecture, 'modelType'> = {
  ...LLAMA,
  mlpBias: 'none',
  activation: 'gelu_pytorch_tanh',
  activationKey: 'hidden_activation',
  defaultHeadSize: 256,
  slidingWindow: 'byPattern',
  attentionScale: 'queryPreAttnScalar',
  norms: 'around',
  gainOffset: 1,
  factors: 'rootOfHiddenSize',
  outgrowsFloat16: true,
  bosEverywhere: true,
  defaultTied: true,
  fixed: { use_bidirectional_attention: false },
};

/**
 * The decoders that can be imported, by the name in `architectures`: each as it differs from Llama. Source: the modeling and configuration
 * files of transformers 4.57 and 5.
 */
export const architectures: ReadonlyMap<string, Architecture> = new Map<string, Architecture>([
  ['LlamaForCausalLM', LLAMA],
  [
    'MistralForCausalLM',
    { ...LLAMA, modelType: 'mistral', attentionBias: 'none', mlpBias: 'none', slidingWindow: 'everyBlock' },
  ],
  [
    'Qwen2ForCausalLM',
    { ...LLAMA, modelType: 'qwen2', attentionBias: 'queryKeyValue', mlpBias: 'none', slidingWindow: 'laterBlocks' },
  ],
  [
    'Qwen3ForCausalLM',
    {
      ...LLAMA,
      modelType: 'qwen3',
      mlpBias: 'none',
      queryKeyNorm: 'perHead',
      defaultHeadSize: 128,
      slidingWindow: 'laterBlocks',
    },
  ],
  [
    'Gemma2ForCausalLM',
    { ...GEMMA, modelType: 'gemma2', defaultPattern: 2, defaultSoftcaps: { attention: 50, logits: 30 } },
  ],
  [
    'Gemma3ForCausalLM',
    {
      ...GEMMA,
      modelType: 'gemma3_text',
      queryKeyNorm: 'perHead',
      rope: 'byKind',
      defaultTheta: 1_000_000,
      fixed: { ...GEMMA.fixed, attn_logit_softcapping: null, final_logit_softcapping: null },
    },
  ],
  [
    'Phi3ForCausalLM',
    {
      ...LLAMA,
      modelType: 'phi3',
      attentionBias: 'none',
      mlpBias: 'none',
      fusedProjections: true,
      slidingWindow: 'everyBlock',
      defaultWindow: null,
      partialRotation: true,
      longRope: true,
    },
  ],
  [
    'SmolLM3ForCausalLM',
    {
      ...LLAMA,
      modelType: 'smollm3',
      slidingWindow: 'unturnedBlocks',
      defaultWindow: null,
      rope: 'someBlocks',
      defaultTheta: 2_000_000,
      defaultTied: true,
    },
  ],
  ['GraniteForCausalLM', { ...LLAMA, modelType: 'granite', attentionScale: 'multiplier', factors: 'config' }],
  ['Olmo2ForCausalLM', { ...LLAMA, modelType: 'olmo2', mlpBias: 'none', queryKeyNorm: 'whole', norms: 'after' }],
]);
