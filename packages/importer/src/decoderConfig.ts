/** What the graph builder must know of a decoder, independent of how config.json spells it. */
export interface DecoderConfig {
  /** `llama`, `gemma3_text`, ... */
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
  /** Tokens the positions are made for, prompt and answer together; less than config.json says where the rope holds for less. */
  readonly contextLength: number;
  /** Added to the mean square inside the root. */
  readonly normEpsilon: number;
  readonly bosTokenId: number | null;
  /** From generation_config.json where that names any, else from config.json. */
  readonly eosTokenIds: readonly number[];
  readonly padTokenId: number | null;
  /** Embedding and head are one weight. */
  readonly tied: boolean;
  /** Which attention projections have a bias. */
  readonly attentionBias: AttentionBias;
  /** gate, up and down projections have a bias. */
  readonly mlpBias: boolean;
  /** How queries and keys are normalised before rotation. */
  readonly queryKeyNorm: QueryKeyNorm;
  /** Scores of queries and keys are multiplied by this before softmax. */
  readonly attentionScale: number;
  /** Bounds of scores and of logits: x becomes c tanh(x / c); null for none. */
  readonly softcaps: { readonly attention: number | null; readonly logits: number | null };
  readonly activation: Activation;
  /** Queries, keys and values are stored as one weight, gate and up as another. */
  readonly fusedProjections: boolean;
  /** Around attention and feed-forward: before them, after them, before what they give is added to the hidden state, or both. */
  readonly norms: 'before' | 'after' | 'around';
  /** Norms multiply by their stored weight plus this. */
  readonly gainOffset: 0 | 1;
  /** Embeddings are multiplied by this, or by the root of the hidden size, rounded to the type that their table is stored in. */
  readonly embeddingFactor: number | 'rootOfHiddenSize';
  /** What attention and feed-forward give is multiplied by this before it is added to the hidden state. */
  readonly residualFactor: number;
  /** Logits are divided by this. */
  readonly logitDivisor: number;
  /** Hidden states between modules outgrow float16. */
  readonly outgrowsFloat16: boolean;
  /** `blockCount` entries. */
  readonly blocks: readonly BlockKind[];
  /** config.json as it is, for whoever writes it into another layout. */
  readonly raw: Readonly<Record<string, unknown>>;
}

/** In what one block differs from another. */
export interface BlockKind {
  /** Keys a query sees, itself included, fewer than the context; null sees all. */
  readonly slidingWindow: number | null;
  /** One object for all blocks that turn alike; null where queries and keys do not turn. */
  readonly rope: Rope | null;
}

/** How queries and keys turn with their position. */
export interface Rope {
  /** Features of a head that turn, the first ones: all, or fewer; even. */
  readonly size: number;
  readonly theta: number;
  readonly scaling: RopeScaling;
}

/** `gelu_pytorch_tanh` is GELU by its approximation with tanh. */
export type Activation = 'silu' | 'gelu_pytorch_tanh';

export type QueryKeyNorm = 'none' | 'perHead' | 'whole';

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
    }
  | {
      readonly type: 'longrope';
      /** Each pair's frequency is divided by its own within the context of pre-training, `[size / 2]`. */
      readonly factors: readonly number[];
      /** Tokens of the pre-training context: beyond it other factors would hold, also for keys that are cached. */
      readonly originalContextLength: number;
      /** Cosines and sines are multiplied by it. */
      readonly magnitude: number;
    };
