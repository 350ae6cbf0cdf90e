import type { families } from './families.ts';

/** Sizes of a decoder, and what its config.json says beside them. Weights are bf16. */
export interface CheckpointShape {
  readonly blockCount: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly headCount: number;
  readonly keyValueHeadCount: number;
  readonly headSize: number;
  readonly vocabularySize: number;
  readonly contextLength: number;
  /** Whether the embedding is the head. */
  readonly tied: boolean;
  readonly modelType: keyof typeof families;
  readonly ropeTheta: number;
  readonly ropeScaling?: Readonly<Record<string, unknown>>;
  /** What config.json says besides. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

const llama = { modelType: 'llama', ropeTheta: 10000, tied: true, contextLength: 2048 } as const;

const LLAMA_3_ROPE = {
  rope_type: 'llama3',
  factor: 32,
  low_freq_factor: 1,
  high_freq_factor: 4,
  original_max_position_embeddings: 8192,
};

/** Published shapes by name; `350m` and `wide2048` are sizes of our own, for quick benchmarks. */
export const shapes: Readonly<Record<string, CheckpointShape>> = {
  '350m': {
    ...llama,
    blockCount: 24,
    hiddenSize: 1024,
    intermediateSize: 2816,
    headCount: 16,
    keyValueHeadCount: 16,
    headSize: 64,
    vocabularySize: 32000,
  },
  wide2048: {
    ...llama,
    blockCount: 4,
    hiddenSize: 2048,
    intermediateSize: 8192,
    headCount: 32,
    keyValueHeadCount: 8,
    headSize: 64,
    vocabularySize: 8192,
  },
  'qwen3-0.6b': {
    modelType: 'qwen3',
    blockCount: 28,
    hiddenSize: 1024,
    intermediateSize: 3072,
    headCount: 16,
    keyValueHeadCount: 8,
    headSize: 128,
    vocabularySize: 151936,
    contextLength: 40960,
    tied: true,
    ropeTheta: 1e6,
  },
  'gemma-3-270m': {
    modelType: 'gemma3_text',
    blockCount: 18,
    hiddenSize: 640,
    intermediateSize: 2048,
    headCount: 4,
    keyValueHeadCount: 1,
    headSize: 256,
    vocabularySize: 262144,
    contextLength: 32768,
    tied: true,
    ropeTheta: 1e6,
    settings: {
      hidden_activation: 'gelu_pytorch_tanh',
      query_pre_attn_scalar: 256,
      rope_local_base_freq: 10000,
      sliding_window: 512,
      _sliding_window_pattern: 6,
    },
  },
  'llama-3.2-1b': {
    ...llama,
    blockCount: 16,
    hiddenSize: 2048,
    intermediateSize: 8192,
    headCount: 32,
    keyValueHeadCount: 8,
    headSize: 64,
    vocabularySize: 128256,
    contextLength: 131072,
    ropeTheta: 500000,
    ropeScaling: LLAMA_3_ROPE,
  },
  'llama-3-8b': {
    ...llama,
    tied: false,
    blockCount: 32,
    hiddenSize: 4096,
    intermediateSize: 14336,
    headCount: 32,
    keyValueHeadCount: 8,
    headSize: 128,
    vocabularySize: 128256,
    contextLength: 8192,
    ropeTheta: 500000,
  },
};
