import { addWeight } from './addWeight.ts';
import { CONTRIB_DOMAIN, type FloatType, type GraphDraft } from './graphDraft.ts';
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
  /** Added to the weight. */
  readonly offset: 0 | 1;
  /** Type of what goes in and comes out, the compute type unless given. */
  readonly type?: FloatType;
}

/**
 * Writes x / sqrt(mean(x^2) + epsilon) * (offset + weight) over the last axis, first adding `update` to the residual where one is given.
 *
 * @param residual value `[..., features]`
 * @param update value of the same shape, null at the start of the stream
 */
export function addNorm(
  draft: GraphDraft,
  { residual, update }: { residual: string; update: string | null },
  { path, weight, epsilon, offset, type = draft.computeType }: NormOptions,
): NormedSum {
  const stored = addWeight(draft, weight, `${path.slice(1).replaceAll('/', '.')}.weight`, type);
  const scale = offset === 0 ? stored : draft.add(`${path}/Add`, 'Add', [stored, draft.scalar(offset, type)]);
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
