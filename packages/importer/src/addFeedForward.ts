import { addLinear } from './addLinear.ts';
import type { BlockWeights } from './bindWeights.ts';
import type { GraphDraft } from './graphDraft.ts';

/**
 * Writes one block's gated feed-forward: down(silu(gate(x)) * up(x)).
 *
 * @param input value `[batch, sequence, hiddenSize]`, normalised
 * @returns value of the same shape
 */
export function addFeedForward(
  draft: GraphDraft,
  input: string,
  { block, weights }: { block: number; weights: BlockWeights },
): string {
  const root = `/model/layers.${block}/mlp`;
  const gate = addLinear(draft, input, { path: `${root}/gate_proj`, linear: weights.gate });
  const up = addLinear(draft, input, { path: `${root}/up_proj`, linear: weights.up });
  const sigmoid = draft.add(`${root}/act_fn/Sigmoid`, 'Sigmoid', [gate]);
  const activated = draft.add(`${root}/act_fn/Mul`, 'Mul', [gate, sigmoid]);
  const gated = draft.add(`${root}/Mul`, 'Mul', [activated, up]);
  return addLinear(draft, gated, { path: `${root}/down_proj`, linear: weights.down });
}
