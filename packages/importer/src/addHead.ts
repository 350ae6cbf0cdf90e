import { DataType } from '@quern/onnx';
import { addWeight } from './addWeight.ts';
import type { GraphDraft } from './graphDraft.ts';
import type { StoredTensor } from './readSafetensorsHeader.ts';

/**
 * Writes the `logits` output, float32 whatever the compute type.
 *
 * @param input value `[batch, sequence, hiddenSize]`, normalised and in the caller's order
 * @param options the head's own weight, or null to use `embedding`: the value `[vocabularySize, hiddenSize]` in the compute type
 */
export function addHead(
  draft: GraphDraft,
  input: string,
  { head, embedding }: { head: StoredTensor | null; embedding: string },
): void {
  const weight = head ? addWeight(draft, head, 'lm_head.MatMul.weight') : embedding;
  const transposed = draft.add('/lm_head/Transpose', 'Transpose', [weight], { attributes: { perm: { ints: [1, 0] } } });
  const inFloat32 = draft.computeType === DataType.FLOAT;
  const product = draft.add('/lm_head/MatMul', 'MatMul', [input, transposed], inFloat32 ? { outputs: ['logits'] } : {});
  if (inFloat32) return;
  draft.add('/lm_head/Cast', 'Cast', [product], { outputs: ['logits'], attributes: { to: { int: DataType.FLOAT } } });
}
