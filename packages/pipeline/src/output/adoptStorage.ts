import { isEntropyCoded, isSparse } from '@quern/solvers';
import type { Emit } from '../events.ts';
import type { Recipe } from '../recipe.ts';
import { type SitePlan, solverOf } from '../solve/sitePlan.ts';

const ZEROS =
  '--storage container stores the zeros of sparse factors like any other value, so files take more than the ratio asks for; packed-onnx and packed store a bit for each.';

/**
 * The recipe with the storage that its plans call for where it names none: entropy-coded methods save bytes in packed files only, sparse
 * factors in masks. A layout whose client loads no packed files goes without entropy coding, with a warning.
 */
export function adoptStorage(plans: readonly SitePlan[], recipe: Recipe, emit: Emit): Recipe {
  const hasZeros = plans.some(plan => isSparse(solverOf(plan)));
  if (recipe.storage !== undefined) {
    if (hasZeros && recipe.storage === 'container') emit({ kind: 'warning', message: ZEROS });
    return recipe;
  }
  const isCoded = plans.some(plan => isEntropyCoded(solverOf(plan)));
  if (isCoded && recipe.layout === 'genai') {
    const message =
      'onnxruntime-genai loads no packed files: codes are stored in 4 and 8 bits, and what entropy coding would save is not saved. --storage packed needs --layout transformersjs.';
    emit({ kind: 'warning', message });
  }
  if (isCoded && recipe.layout === 'transformersjs') return { ...recipe, storage: 'packed' };
  return { ...recipe, storage: hasZeros ? 'packed-onnx' : 'container' };
}
