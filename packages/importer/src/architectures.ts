/** What transformers hard-codes in a model's class, so that config.json does not say it. */
export interface Architecture {
  readonly modelType: string;
  /** `config`: `attention_bias` decides, for all four projections. */
  readonly attentionBias: 'config' | 'queryKeyValue' | 'none';
  readonly mlpBias: 'config' | 'none';
  readonly queryKeyNorm: boolean;
  /** Heads are this large when `head_dim` is absent; null means hidden size / heads. */
  readonly defaultHeadSize: number | null;
  /** `everyBlock`: `sliding_window` holds for all; `laterBlocks`: `use_sliding_window`, `max_window_layers`, `layer_types`. */
  readonly slidingWindow: 'none' | 'everyBlock' | 'laterBlocks';
}

/** The decoders that can be imported, by the name in `architectures`. Source: the modeling files of transformers 4.57 and 5. */
export const architectures: ReadonlyMap<string, Architecture> = new Map([
  [
    'LlamaForCausalLM',
    {
      modelType: 'llama',
      attentionBias: 'config',
      mlpBias: 'config',
      queryKeyNorm: false,
      defaultHeadSize: null,
      slidingWindow: 'none',
    },
  ],
  [
    'MistralForCausalLM',
    {
      modelType: 'mistral',
      attentionBias: 'none',
      mlpBias: 'none',
      queryKeyNorm: false,
      defaultHeadSize: null,
      slidingWindow: 'everyBlock',
    },
  ],
  [
    'Qwen2ForCausalLM',
    {
      modelType: 'qwen2',
      attentionBias: 'queryKeyValue',
      mlpBias: 'none',
      queryKeyNorm: false,
      defaultHeadSize: null,
      slidingWindow: 'laterBlocks',
    },
  ],
  [
    'Qwen3ForCausalLM',
    {
      modelType: 'qwen3',
      attentionBias: 'config',
      mlpBias: 'none',
      queryKeyNorm: true,
      defaultHeadSize: 128,
      slidingWindow: 'laterBlocks',
    },
  ],
]);
