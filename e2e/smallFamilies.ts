import { type CheckpointShape, shapes } from '../tools/syntheticCheckpoint/shapes.ts';

const SMALL = {
  blockCount: 3,
  hiddenSize: 64,
  intermediateSize: 96,
  headCount: 4,
  keyValueHeadCount: 2,
  headSize: 32,
  vocabularySize: 4096,
  contextLength: 256,
};

/** What is expected of a family. */
export interface Family {
  readonly shape: CheckpointShape;
  /** Of `genai_config.json`. */
  readonly genaiType: string;
  /** Sites whose input scale no weight before them can take. */
  readonly unfolded: RegExp;
  /** Of the graph. */
  readonly contextLength: number;
  /**
   * Whether sites read one input, so that dictionaries have atoms in common: fused projections are one site. Absent where blocks have the
   * sites of Llama behind the norms of another family here.
   */
  readonly sharesAtoms?: boolean;
  /** What a target of WebGPU is refused for; absent where it is not. */
  readonly webgpu?: RegExp;
  /** Null where rotations can be folded, else what the refusal says. */
  readonly rotation: RegExp | null;
}

const gemma3 = shapes['gemma-3-270m']!;
/** Small made-up checkpoints of the families that came after Qwen, by their names. */
export const families: Readonly<Record<string, Family>> = {
  'Gemma 3': {
    shape: {
      ...gemma3,
      ...SMALL,
      keyValueHeadCount: 1,
      settings: { ...gemma3.settings, sliding_window: 16, _sliding_window_pattern: 3 },
    },
    genaiType: 'gemma3_text',
    unfolded: /attn\.o_proj/,
    contextLength: 256,
    sharesAtoms: true,
    rotation: /normalise what attention and feed-forward give.*Leave --rotate away/,
  },
  'Gemma 2': {
    shape: {
      ...SMALL,
      modelType: 'gemma2',
      tied: true,
      ropeTheta: 10000,
      settings: {
        hidden_activation: 'gelu_pytorch_tanh',
        query_pre_attn_scalar: 24,
        sliding_window: 16,
        attn_logit_softcapping: 4,
        final_logit_softcapping: 6,
      },
    },
    genaiType: 'gemma2',
    webgpu: /softcap of .*which the WebGPU kernel passes over.*say --target cpu, cuda or wasm/,
    unfolded: /attn\.o_proj/,
    contextLength: 256,
    rotation: /normalise what attention and feed-forward give.*Leave --rotate away/,
  },
  'OLMo 2': {
    shape: { ...SMALL, modelType: 'olmo2', tied: false, ropeTheta: 500000 },
    genaiType: 'decoder',
    unfolded: /attn\.[qkvo]_proj|mlp\.(gate|up)_proj/,
    contextLength: 256,
    sharesAtoms: true,
    rotation: /normalise what attention and feed-forward give.*Leave --rotate away/,
  },
  'Phi-3': {
    shape: {
      ...SMALL,
      modelType: 'phi3',
      tied: false,
      ropeTheta: 10000,
      ropeScaling: {
        type: 'longrope',
        short_factor: Array.from({ length: 12 }, (_, pair) => 1 + pair / 8),
        long_factor: Array.from({ length: 12 }, (_, pair) => 1 + 4 * pair),
      },
      settings: {
        hidden_act: 'silu',
        sliding_window: 24,
        original_max_position_embeddings: 128,
        partial_rotary_factor: 0.75,
      },
    },
    genaiType: 'phi3',
    unfolded: /attn\.o_proj/,
    contextLength: 128,
    sharesAtoms: false,
    rotation: null,
  },
  Granite: {
    shape: {
      ...SMALL,
      modelType: 'granite',
      tied: false,
      ropeTheta: 10000,
      settings: {
        hidden_act: 'silu',
        embedding_multiplier: 4,
        residual_multiplier: 0.5,
        attention_multiplier: 0.1,
        logits_scaling: 0.5,
      },
    },
    genaiType: 'granite',
    unfolded: /attn\.o_proj/,
    contextLength: 256,
    rotation: null,
  },
  SmolLM3: {
    shape: {
      ...SMALL,
      modelType: 'smollm3',
      tied: true,
      ropeTheta: 5e6,
      settings: { hidden_act: 'silu', no_rope_layers: [1, 0, 1] },
    },
    genaiType: 'smollm3',
    unfolded: /attn\.o_proj/,
    contextLength: 256,
    rotation: null,
  },
};
