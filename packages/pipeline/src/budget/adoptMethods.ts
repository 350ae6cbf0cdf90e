import { isEntropyCoded, solvers } from '@quern/solvers';
import { parseMethod } from '../parseMethod.ts';
import type { Recipe } from '../recipe.ts';

/**
 * A recipe with a budget, with the methods and the storage that it leaves open: packed files for methods made for the entropy coder, and
 * where nothing names a method, which then are among them; otherwise containers. Layouts whose client loads no packed files have
 * containers. Bits stay with the sites that they are chosen for.
 */
export function adoptMethods(recipe: Recipe): Recipe {
  const { methods, layout } = recipe;
  const isPacked = layout === 'transformersjs' && (methods === undefined || methods.some(isCoded));
  const storage = recipe.storage ?? (isPacked ? 'packed' : 'container');
  const coded = storage === 'packed' ? Object.keys(solvers).filter(isCoded) : [];
  return { ...recipe, storage, methods: methods ?? [recipe.method, ...coded] };
}

function isCoded(text: string): boolean {
  const { method } = parseMethod(text);
  return Object.hasOwn(solvers, method!) && isEntropyCoded(solvers[method!]!);
}
