import { halveAttention, type OnnxModel } from '@quern/onnx';
import type { Emit } from '../events.ts';
import type { Recipe } from '../recipe.ts';

const MESSAGE =
  '--target cuda: GroupQueryAttention has no float32 kernel there, so attention would run on the processor. Take --dtype fp16 with a checkpoint.';

/** Warns of a result that CUDA would run in part on the processor. */
export function tellSlowAttention(model: OnnxModel, recipe: Recipe, emit: Emit): void {
  const isSlow = recipe.target === 'cuda' && recipe.dtype === 'fp32' && halveAttention(model) !== model;
  if (isSlow) emit({ kind: 'warning', message: MESSAGE });
}
