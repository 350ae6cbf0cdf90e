import { addLinear } from './addLinear.ts';
import type { Projection } from './bindWeights.ts';
import type { GraphDraft } from './graphDraft.ts';

/**
 * Writes projections of one input. One that stores several as one weight stays one product, split afterwards.
 *
 * @param input value `[batch, sequence, inFeatures]`
 * @param root node folder of the module, such as `/model/layers.0/attn`
 * @returns a value `[batch, sequence, size]` for each part, in order
 */
export function addProjections(
  draft: GraphDraft,
  input: string,
  { root, projections }: { root: string; projections: readonly Projection[] },
): string[] {
  return projections.flatMap(({ name, linear, sizes }) => {
    const path = `${root}/${name}`;
    const product = addLinear(draft, input, { path, linear });
    if (sizes.length === 1) return [product];
    const outputs = sizes.map((_, part) => `${path}/Split/output_${part}`);
    draft.add(`${path}/Split`, 'Split', [product, draft.constant(sizes)], {
      outputs,
      attributes: { axis: { int: -1 } },
    });
    return outputs;
  });
}
