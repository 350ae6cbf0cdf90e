import { addLinear } from './addLinear.ts';
import { addProjections } from './addProjections.ts';
import type { BlockWeights } from './bindWeights.ts';
import type { Activation } from './decoderConfig.ts';
import { CONTRIB_DOMAIN, type GraphDraft } from './graphDraft.ts';

/**
 * Writes one block's gated feed-forward: down(activation(gate(x)) * up(x)).
 *
 * @param input value `[batch, sequence, hiddenSize]`, normalised
 * @returns value of the same shape
 */
export function addFeedForward(
  draft: GraphDraft,
  input: string,
  { block, activation, weights }: { block: number; activation: Activation; weights: BlockWeights },
): string {
  const root = `/model/layers.${block}/mlp`;
  const [gate, up] = addProjections(draft, input, { root, projections: weights.gateUp });
  const activated = addActivation(draft, gate!, { path: `${root}/act_fn`, activation });
  const gated = draft.add(`${root}/Mul`, 'Mul', [activated, up!]);
  return addLinear(draft, gated, { path: `${root}/down_proj`, linear: weights.down });
}

function addActivation(
  draft: GraphDraft,
  input: string,
  { path, activation }: { path: string; activation: Activation },
): string {
  switch (activation) {
    case 'silu': {
      const sigmoid = draft.add(`${path}/Sigmoid`, 'Sigmoid', [input]);
      return draft.add(`${path}/Mul`, 'Mul', [input, sigmoid]);
    }
    case 'gelu_pytorch_tanh':
      return draft.add(`${path}/FastGelu`, 'FastGelu', [input], { domain: CONTRIB_DOMAIN });
  }
}
