import type { BatchLayout } from './addBatchLayout.ts';
import { addHeadNorm } from './addHeadNorm.ts';
import { addLinear } from './addLinear.ts';
import type { RotaryTables } from './addRotaryTables.ts';
import type { BlockWeights } from './bindWeights.ts';
import type { DecoderConfig } from './decoderConfig.ts';
import { CONTRIB_DOMAIN, type GraphDraft } from './graphDraft.ts';

/** What attention reads besides its block's weights. */
export interface AttentionContext {
  readonly config: DecoderConfig;
  readonly layout: BatchLayout;
  /** Of the block's own rope. */
  readonly rotary: RotaryTables;
}

/** Inside GroupQueryAttention the rotation works for head sizes of this multiple only. */
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
  let query = addLinear(draft, input, { path: `${root}/q_proj`, linear: weights.query });
  let key = addLinear(draft, input, { path: `${root}/k_proj`, linear: weights.key });
  const value = addLinear(draft, input, { path: `${root}/v_proj`, linear: weights.value });
  const norm = { epsilon: config.normEpsilon, offset: config.gainOffset, headSize: config.headSize };
  if (weights.queryNorm)
    query = addHeadNorm(draft, query, { ...norm, path: `${root}/q_norm`, weight: weights.queryNorm });
  if (weights.keyNorm) key = addHeadNorm(draft, key, { ...norm, path: `${root}/k_norm`, weight: weights.keyNorm });

  const fusedRotation = config.headSize % FUSED_ROTATION_MULTIPLE === 0;
  if (!fusedRotation) {
    const tables = [layout.positionIds, rotary.cosine, rotary.sine];
    const rotation = { domain: CONTRIB_DOMAIN };
    query = draft.add(`${root}/q_rotary/RotaryEmbedding`, 'RotaryEmbedding', [query, ...tables], rotation);
    key = draft.add(`${root}/k_rotary/RotaryEmbedding`, 'RotaryEmbedding', [key, ...tables], rotation);
  }
  const { slidingWindow: window } = config.blocks[block]!;
  const past = [`past_key_values.${block}.key`, `past_key_values.${block}.value`];
  const tables = fusedRotation ? [rotary.cosine, rotary.sine] : [];
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
        do_rotary: { int: fusedRotation ? 1 : 0 },
        rotary_interleaved: { int: 0 },
        ...(window === null ? {} : { local_window_size: { int: window } }),
      },
    },
  );
  return addLinear(draft, mixed, { path: `${root}/o_proj`, linear: weights.output });
}
