import { addNorm, type NormOptions } from './addNorm.ts';
import type { GraphDraft } from './graphDraft.ts';

/**
 * Normalises every head on its own, or all of them as one where no head size is given.
 *
 * @param input value `[batch, sequence, heads * headSize]`
 * @returns value of the same shape
 */
export function addHeadNorm(
  draft: GraphDraft,
  input: string,
  options: NormOptions & { headSize: number | null },
): string {
  const { path, headSize } = options;
  if (headSize === null) return addNorm(draft, { residual: input, update: null }, options).normed;
  const split = draft.add(`${path}/Split/Reshape`, 'Reshape', [input, draft.constant([0, 0, -1, headSize])]);
  const { normed } = addNorm(draft, { residual: split, update: null }, options);
  return draft.add(`${path}/Join/Reshape`, 'Reshape', [normed, draft.constant([0, 0, -1])]);
}
