/** config.json of a test model, with the keys that its class reads. */
export interface RawConfig {
  readonly architectures: readonly string[];
  readonly model_type: string;
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly num_key_value_heads: number;
  readonly head_dim: number;
  readonly vocab_size: number;
  readonly max_position_embeddings: number;
  readonly rms_norm_eps: number;
  readonly tie_word_embeddings: boolean;
  readonly rope_theta?: number;
  readonly rope_scaling?: RawRopeScaling | null;
  readonly rope_parameters?: RawRopeScaling & { readonly rope_theta: number };
  readonly rope_local_base_freq?: number;
  readonly partial_rotary_factor?: number;
  readonly original_max_position_embeddings?: number;
  readonly no_rope_layers?: readonly number[];
  readonly attn_logit_softcapping?: number | null;
  readonly final_logit_softcapping?: number | null;
  readonly embedding_multiplier?: number;
  readonly residual_multiplier?: number;
  readonly attention_multiplier?: number;
  readonly logits_scaling?: number;
  readonly query_pre_attn_scalar?: number;
  readonly hidden_activation?: string;
  readonly attention_bias?: boolean;
  readonly mlp_bias?: boolean;
  readonly sliding_window?: number | null;
  readonly use_sliding_window?: boolean;
  readonly max_window_layers?: number;
  readonly layer_types?: readonly string[];
  readonly bos_token_id?: number;
  readonly eos_token_id?: number | readonly number[];
}

export interface RawRopeScaling {
  readonly rope_type?: string;
  readonly type?: string;
  readonly factor?: number;
  readonly low_freq_factor?: number;
  readonly high_freq_factor?: number;
  readonly original_max_position_embeddings?: number;
  readonly short_factor?: readonly number[];
  readonly long_factor?: readonly number[];
}

const BASE: RawConfig = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_size: 24,
  intermediate_size: 40,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 16,
  vocab_size: 37,
  max_position_embeddings: 96,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: false,
  rope_theta: 10000,
};

/** A small Llama's config.json, changed as given. */
export function rawConfig(changes: Partial<RawConfig> = {}): RawConfig {
  return { ...BASE, ...changes };
}

/** What makes a config.json that of a small Gemma 3: two blocks with a window, then one that sees everything. */
export const GEMMA3 = {
  architectures: ['Gemma3ForCausalLM'],
  model_type: 'gemma3_text',
  hidden_activation: 'gelu_pytorch_tanh',
  tie_word_embeddings: true,
  query_pre_attn_scalar: 10,
  sliding_window: 7,
  layer_types: ['sliding_attention', 'sliding_attention', 'full_attention'],
  rope_theta: 100_000,
  rope_local_base_freq: 1000,
} as const satisfies Partial<RawConfig>;

/** What makes a config.json that of a small Phi-3 of a short context, which LongRoPE makes twice as long. */
export const PHI3 = {
  architectures: ['Phi3ForCausalLM'],
  model_type: 'phi3',
  original_max_position_embeddings: 96,
  max_position_embeddings: 192,
  rope_scaling: {
    type: 'longrope',
    short_factor: [1, 1.05, 1.1, 1.2, 1.4, 1.7, 2, 2.5],
    long_factor: [1, 2, 3, 4, 8, 16, 32, 64],
  },
} as const satisfies Partial<RawConfig>;

/** What makes a config.json that of a small SmolLM3: the middle block does not turn. */
export const SMOLLM3 = {
  architectures: ['SmolLM3ForCausalLM'],
  model_type: 'smollm3',
  tie_word_embeddings: true,
  no_rope_layers: [1, 0, 1],
} as const satisfies Partial<RawConfig>;

/** What makes a config.json that of a small Gemma 2. */
export const GEMMA2 = {
  architectures: ['Gemma2ForCausalLM'],
  model_type: 'gemma2',
  hidden_activation: 'gelu_pytorch_tanh',
  tie_word_embeddings: true,
  query_pre_attn_scalar: 10,
  sliding_window: 7,
  layer_types: ['sliding_attention', 'full_attention', 'sliding_attention'],
  attn_logit_softcapping: 0.5,
  final_logit_softcapping: 2,
} as const satisfies Partial<RawConfig>;

/** What makes a config.json that of a small Granite. */
export const GRANITE = {
  architectures: ['GraniteForCausalLM'],
  model_type: 'granite',
  tie_word_embeddings: true,
  embedding_multiplier: 3,
  residual_multiplier: 0.4,
  attention_multiplier: 0.3,
  logits_scaling: 2,
} as const satisfies Partial<RawConfig>;

/** What makes a config.json that of a small OLMo 2. */
export const OLMO2 = {
  architectures: ['Olmo2ForCausalLM'],
  model_type: 'olmo2',
} as const satisfies Partial<RawConfig>;
