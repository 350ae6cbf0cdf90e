import { isEntropyCoded, isSparse, type Solver, solvers } from '@quern/solvers';
import { parseMethod } from '../parseMethod.ts';
import type { Recipe } from '../recipe.ts';

/**
 * A recipe with a budget, with the methods and the storage that it leaves open: packed files for methods made for the entropy coder, and
 * where nothing names a method, which then are among them; masks for sparse factors; otherwise containers. Layouts whose client loads no packed files have
 * containers. Bits stay with the sites that they are chosen for.
 */
export function adoptMethods(recipe: Recipe): Recipe {
  const { methods, layout } = recipe;
  const named = methods ?? [recipe.method];
  const isPacked = layout === 'transformersjs' && (methods === undefined || named.some(are(isEntropyCoded)));
  const storage = recipe.storage ?? (isPacked ? 'packed' : named.some(are(isSparse)) ? 'packed-onnx' : 'container');
  const coded = storage === 'packed' ? Object.keys(solvers).filter(are(isEntropyCoded)) : [];
  return { ...recipe, storage, methods: methods ?? [recipe.method, ...coded] };
}

/** Whether the method that a text names is of a kind. */
function are(isOfKind: (solver: Solver) => boolean): (text: string) => boolean {
  return text => {
    const { method } = parseMethod(text);
    return Object.hasOwn(solvers, method!) && isOfKind(solvers[method!]!);
  };
}
