import { isEntropyCoded } from '@quern/solvers';
import type { Emit } from '../events.ts';
import type { Recipe } from '../recipe.ts';
import { type SitePlan, solverOf } from '../solve/sitePlan.ts';

/**
 * The recipe with the storage that its plans call for where it names none: entropy-coded methods save bytes in packed files only. A
 * layout whose client loads none keeps containers, with a warning.
 */
export function adoptStorage(plans: readonly SitePlan[], recipe: Recipe, emit: Emit): Recipe {
  if (recipe.storage !== undefined) return recipe;
  const isCoded = plans.some(plan => isEntropyCoded(solverOf(plan)));
  if (isCoded && recipe.layout === 'genai') {
    const message =
      'onnxruntime-genai loads no packed files: codes are stored in 4 and 8 bits, and what entropy coding would save is not saved. --storage packed needs --layout transformersjs.';
    emit({ kind: 'warning', message });
  }
  return { ...recipe, storage: isCoded && recipe.layout === 'transformersjs' ? 'packed' : 'container' };
}
