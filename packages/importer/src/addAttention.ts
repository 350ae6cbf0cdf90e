import type { BatchLayout } from './addBatchLayout.ts';
import { addHeadNorm } from './addHeadNorm.ts';
import { addLinear } from './addLinear.ts';
import { addProjections } from './addProjections.ts';
import type { RotaryTables } from './addRotaryTables.ts';
import type { BlockWeights } from './bindWeights.ts';
import type { DecoderConfig } from './decoderConfig.ts';
import { CONTRIB_DOMAIN, type GraphDraft } from './graphDraft.ts';

/** What attention reads besides its block's weights. */
export interface AttentionContext {
  readonly config: DecoderConfig;
  readonly layout: BatchLayout;
  /** Of the block's own rope; null where it has none. */
  readonly rotary: RotaryTables | null;
}

/** Inside GroupQueryAttention the rotation works for so many features, or a multiple, only. */
const FUSED_ROTATION_MULTIPLE = 16;

/**
 * Writes one block's attention with its key-value cache: `past_key_values.<block>.*` to `present.<block>.*`.
 *
 * @param input value `[batch, sequence, hiddenSize]`, normalised
 * @returns value `[batch, sequence, hiddenSize]`
 */
export function addAttention(
  draft: GraphDraft,
  input: string,
  options: AttentionContext & { block: number; weights: BlockWeights },
): string {
  const { config, layout, rotary, block, weights } = options;
  const root = `/model/layers.${block}/attn`;
  const projected = addProjections(draft, input, { root, projections: weights.queryKeyValue });
  let [query, key, value] = projected as [string, string, string];
  const headSize = config.queryKeyNorm === 'perHead' ? config.headSize : null;
  const norm = { epsilon: config.normEpsilon, offset: config.gainOffset, headSize };
  if (weights.queryNorm) {
    query = addHeadNorm(draft, query, { ...norm, path: `${root}/q_norm`, weight: weights.queryNorm });
  }
  if (weights.keyNorm) key = addHeadNorm(draft, key, { ...norm, path: `${root}/k_norm`, weight: weights.keyNorm });

  const { slidingWindow: window, rope } = config.blocks[block]!;
  const isFused = rope !== null && rope.size % FUSED_ROTATION_MULTIPLE === 0;
  if (rope && rotary && !isFused) {
    const tables = [layout.positionIds, rotary.cosine, rotary.sine];
    const rotate = (path: string, input: string, headCount: number): string => {
      const part = { num_heads: { int: headCount }, rotary_embedding_dim: { int: rope.size } };
      const attributes = rope.size === config.headSize ? {} : part;
      const options = { domain: CONTRIB_DOMAIN, attributes };
      return draft.add(`${path}/RotaryEmbedding`, 'RotaryEmbedding', [input, ...tables], options);
    };
    query = rotate(`${root}/q_rotary`, query, config.headCount);
    key = rotate(`${root}/k_rotary`, key, config.keyValueHeadCount);
  }
  const past = [`past_key_values.${block}.key`, `past_key_values.${block}.value`];
  const tables = rotary && isFused ? [rotary.cosine, rotary.sine] : [];
  const { attention: softcap } = config.softcaps;
  const name = `${root}/GroupQueryAttention`;
  const mixed = draft.add(
    name,
    'GroupQueryAttention',
    [query, key, value, ...past, layout.lastKeyIndex, layout.totalLength, ...tables],
    {
      domain: CONTRIB_DOMAIN,
      outputs: [`${name}/output_0`, `present.${block}.key`, `present.${block}.value`],
      attributes: {
        num_heads: { int: config.headCount },
        kv_num_heads: { int: config.keyValueHeadCount },
        scale: { float: config.attentionScale },
        do_rotary: { int: isFused ? 1 : 0 },
        rotary_interleaved: { int: 0 },
        ...(softcap === null ? {} : { softcap: { float: softcap } }),
        ...(window === null ? {} : { local_window_size: { int: window } }),
      },
    },
  );
  return addLinear(draft, mixed, { path: `${root}/o_proj`, linear: weights.output });
}
