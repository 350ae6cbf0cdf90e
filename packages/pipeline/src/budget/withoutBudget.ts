import type { Recipe } from '../recipe.ts';

/** A recipe for runs that share nothing out. */
export function withoutBudget(recipe: Recipe): Recipe {
  const {
    bitsPerWeight: _bits,
    targetSize: _size,
    maxPerplexityIncrease: _increase,
    methods: _methods,
    ...others
  } = recipe;
  return others;
}
