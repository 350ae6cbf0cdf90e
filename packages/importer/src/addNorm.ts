import { addWeight } from './addWeight.ts';
import { CONTRIB_DOMAIN, type GraphDraft } from './graphDraft.ts';
import type { StoredTensor } from './readSafetensorsHeader.ts';

/** The residual stream around a norm. */
export interface NormedSum {
  /** The normalised values, for the next module. */
  readonly normed: string;
  /** What the next module's result is added to. */
  readonly residual: string;
}

export interface NormOptions {
  /** Node folder without the operator, such as `/model/layers.0/input_layernorm`. */
  readonly path: string;
  readonly weight: StoredTensor;
  readonly epsilon: number;
}

/**
 * Writes x / sqrt(mean(x^2) + epsilon) * weight over the last axis, first adding `update` to the residual where one is given.
 *
 * @param residual value `[..., features]`
 * @param update value of the same shape, null at the start of the stream
 */
export function addNorm(
  draft: GraphDraft,
  { residual, update }: { residual: string; update: string | null },
  { path, weight, epsilon }: NormOptions,
): NormedSum {
  const scale = addWeight(draft, weight, `${path.slice(1).replaceAll('/', '.')}.weight`);
  if (update === null) {
    const attributes = { axis: { int: -1 }, epsilon: { float: epsilon }, stash_type: { int: 1 } };
    const normed = draft.add(`${path}/LayerNorm`, 'SimplifiedLayerNormalization', [residual, scale], { attributes });
    return { normed, residual };
  }
  const name = `${path}/SkipLayerNorm`;
  const sum = `${name}/output_3`;
  const normed = draft.add(name, 'SkipSimplifiedLayerNormalization', [residual, update, scale], {
    domain: CONTRIB_DOMAIN,
    outputs: [`${name}/output_0`, '', '', sum],
    attributes: { epsilon: { float: epsilon } },
  });
  return { normed, residual: sum };
}
