import { type Family, families } from './families.ts';
import type { CheckpointShape } from './shapes.ts';

/** A tensor of a synthetic checkpoint. */
export interface TensorPlan {
  readonly name: string;
  readonly rows: number;
  /** 0 for the gains of a norm. */
  readonly columns: number;
  /** Standard deviation of y = W x for an x of independent unit entries; the typical gain of a norm. */
  readonly gain: number;
  /** What the model itself adds to the gains of a norm. */
  readonly offset?: number;
  /** Whether its outputs are added to the residual stream, whose loud channels it then feeds. */
  readonly writesResidual?: boolean;
}

/** The tensors of a checkpoint: what stands outside the blocks, then one shard a block. */
export function planShards(shape: CheckpointShape): TensorPlan[][] {
  const { hiddenSize, intermediateSize, headCount, keyValueHeadCount, headSize, vocabularySize } = shape;
  const weight = (name: string, rows: number, columns: number, gain = 1): TensorPlan => ({ name, rows, columns, gain });
  const { norms, queryKeyNorm, gainOffset: offset, isFused }: Family = families[shape.modelType];
  const norm = (name: string, rows = hiddenSize, gain = 1): TensorPlan => ({ ...weight(name, rows, 0, gain), offset });
  // As trained decoders are initialised: the residual stream keeps its size over the depth.
  const residualGain = 1 / Math.sqrt(2 * shape.blockCount);
  const head = shape.tied ? [] : [weight('lm_head.weight', vocabularySize, hiddenSize, 3)];
  const shards: TensorPlan[][] = [
    [weight('model.embed_tokens.weight', vocabularySize, hiddenSize, 3), norm('model.norm.weight'), ...head],
  ];
  for (let block = 0; block < shape.blockCount; block++) {
    const prefix = `model.layers.${block}`;
    const headNorms = (['q_norm', 'k_norm'] as const).map(name => {
      const count = name === 'q_norm' ? headCount : keyValueHeadCount;
      return norm(`${prefix}.self_attn.${name}.weight`, queryKeyNorm === 'whole' ? count * headSize : headSize);
    });
    const before = ['input_layernorm', norms === 'around' ? 'pre_feedforward_layernorm' : 'post_attention_layernorm'];
    const after = ['post_attention_layernorm', 'post_feedforward_layernorm'];
    const hiddenNorms = [
      ...(norms === 'after' ? [] : before.map(name => norm(`${prefix}.${name}.weight`))),
      ...(norms === 'before' ? [] : after.map(name => norm(`${prefix}.${name}.weight`, hiddenSize, residualGain))),
    ];
    shards.push([
      ...hiddenNorms,
      ...(queryKeyNorm === 'none' ? [] : headNorms),
      ...(isFused
        ? [weight(`${prefix}.self_attn.qkv_proj.weight`, (headCount + 2 * keyValueHeadCount) * headSize, hiddenSize)]
        : [
            weight(`${prefix}.self_attn.q_proj.weight`, headCount * headSize, hiddenSize),
            weight(`${prefix}.self_attn.k_proj.weight`, keyValueHeadCount * headSize, hiddenSize),
            weight(`${prefix}.self_attn.v_proj.weight`, keyValueHeadCount * headSize, hiddenSize),
          ]),
      {
        ...weight(`${prefix}.self_attn.o_proj.weight`, hiddenSize, headCount * headSize, residualGain),
        writesResidual: true,
      },
      ...(isFused
        ? [weight(`${prefix}.mlp.gate_up_proj.weight`, 2 * intermediateSize, hiddenSize)]
        : [
            weight(`${prefix}.mlp.gate_proj.weight`, intermediateSize, hiddenSize),
            weight(`${prefix}.mlp.up_proj.weight`, intermediateSize, hiddenSize),
          ]),
      { ...weight(`${prefix}.mlp.down_proj.weight`, hiddenSize, intermediateSize, residualGain), writesResidual: true },
    ]);
  }
  return shards;
}
