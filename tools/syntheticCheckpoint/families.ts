/** The tensors that a family's blocks have beside, or instead of, those of Llama. */
export interface Family {
  readonly architecture: string;
  /** Where norms of the hidden state stand in a block. */
  readonly norms: 'before' | 'after' | 'around';
  readonly queryKeyNorm: 'none' | 'perHead' | 'whole';
  /** What the model itself adds to the gains of norms. */
  readonly gainOffset: 0 | 1;
  /** Whether queries, keys and values are one tensor, gate and up another. */
  readonly isFused: boolean;
}

const LLAMA = { norms: 'before', queryKeyNorm: 'none', gainOffset: 0, isFused: false } as const;

/** Families that checkpoints are written of, by model_type. */
export const families = {
  llama: { ...LLAMA, architecture: 'LlamaForCausalLM' },
  qwen3: { ...LLAMA, architecture: 'Qwen3ForCausalLM', queryKeyNorm: 'perHead' },
  gemma2: { ...LLAMA, architecture: 'Gemma2ForCausalLM', norms: 'around', gainOffset: 1 },
  gemma3_text: {
    ...LLAMA,
    architecture: 'Gemma3ForCausalLM',
    norms: 'around',
    queryKeyNorm: 'perHead',
    gainOffset: 1,
  },
  granite: { ...LLAMA, architecture: 'GraniteForCausalLM' },
  olmo2: { ...LLAMA, architecture: 'Olmo2ForCausalLM', norms: 'after', queryKeyNorm: 'whole' },
  phi3: { ...LLAMA, architecture: 'Phi3ForCausalLM', isFused: true },
  smollm3: { ...LLAMA, architecture: 'SmolLM3ForCausalLM' },
} as const satisfies Readonly<Record<string, Family>>;
