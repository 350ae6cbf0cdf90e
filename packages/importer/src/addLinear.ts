import { addWeight } from './addWeight.ts';
import type { LinearWeight } from './bindWeights.ts';
import type { GraphDraft } from './graphDraft.ts';

/**
 * Writes y = x W^T (+ bias). The weight stays `[outFeatures, inFeatures]` as stored; its Transpose is folded at load.
 *
 * @param input value `[batch, sequence, inFeatures]`
 * @param path the module, such as `/model/layers.0/attn/q_proj`; the nodes are `<path>/MatMul` and `<path>/Add`, the
 * initializers `model.layers.0.attn.q_proj.MatMul.weight` and `... .Add.bias`
 * @returns value `[batch, sequence, outFeatures]`
 */
export function addLinear(draft: GraphDraft, input: string, options: { path: string; linear: LinearWeight }): string {
  const { path, linear } = options;
  const module = path.slice(1).replaceAll('/', '.');
  const weight = addWeight(draft, linear.weight, `${module}.MatMul.weight`);
  const transposed = draft.add(`${path}/Transpose`, 'Transpose', [weight], { attributes: { perm: { ints: [1, 0] } } });
  const product = draft.add(`${path}/MatMul`, 'MatMul', [input, transposed]);
  if (!linear.bias) return product;
  return draft.add(`${path}/Add`, 'Add', [product, addWeight(draft, linear.bias, `${module}.Add.bias`)]);
}
