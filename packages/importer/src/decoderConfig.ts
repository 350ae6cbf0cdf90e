/** What the graph builder must know of a decoder, independent of how config.json spells it. */
export interface DecoderConfig {
  /** `llama`, `mistral`, `qwen2`, `qwen3`. */
  readonly modelType: string;
  /** `LlamaForCausalLM`, ... */
  readonly architecture: string;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly blockCount: number;
  readonly headCount: number;
  /** Query heads share these in equal groups. */
  readonly keyValueHeadCount: number;
  /** Features of one head; need not be hiddenSize / headCount. */
  readonly headSize: number;
  readonly vocabularySize: number;
  /** Tokens the positions are made for, prompt and answer together. */
  readonly contextLength: number;
  /** Added to the mean square inside the root. */
  readonly normEpsilon: number;
  readonly bosTokenId: number | null;
  /** From generation_config.json where that names any, else from config.json. */
  readonly eosTokenIds: readonly number[];
  readonly padTokenId: number | null;
  /** Embedding and head are one weight. */
  readonly tied: boolean;
  readonly ropeTheta: number;
  readonly ropeScaling: RopeScaling;
  /** Which attention projections have a bias. */
  readonly attentionBias: AttentionBias;
  /** gate, up and down projections have a bias. */
  readonly mlpBias: boolean;
  /** Queries and keys are normalised per head before rotation. */
  readonly queryKeyNorm: boolean;
  /** One entry a block: keys a query sees, itself included; null sees all. */
  readonly slidingWindows: readonly (number | null)[];
  /** config.json as it is, for whoever writes it into another layout. */
  readonly raw: Readonly<Record<string, unknown>>;
}

export type AttentionBias = 'none' | 'queryKeyValue' | 'all';

/** How the rotary frequencies are stretched beyond the context of pre-training. */
export type RopeScaling =
  | { readonly type: 'default' }
  | { readonly type: 'linear'; readonly factor: number }
  | {
      readonly type: 'llama3';
      readonly factor: number;
      readonly lowFrequencyFactor: number;
      readonly highFrequencyFactor: number;
      /** Tokens of the pre-training context. */
      readonly originalContextLength: number;
    };
