import { solvers } from '@quern/solvers';
import { parseMethod } from '../parseMethod.ts';
import { type Recipe, resolveRecipe } from '../recipe.ts';

/** One row to be made. */
export interface RowPlan {
  /** As it was asked for. */
  readonly method: string;
  readonly ratio: number | null;
  readonly recipe: Recipe;
}

/**
 * The rows of a comparison: every method once, or at every ratio where it takes one. All are calibrated on the original model,
 * so that they share its statistics. What `base` says of its own method does not hold for others.
 *
 * Errors: those of `parseMethod` and `resolveRecipe`.
 */
export function comparisonRows(base: Recipe, methods: readonly string[], ratios: readonly number[]): RowPlan[] {
  const { bits: _bits, groupSize: _groupSize, ratio: _ratio, ...shared } = base;
  return methods.flatMap(text => {
    const given = { ...shared, options: {}, sequential: false, ...parseMethod(text) };
    const schema = Object.hasOwn(solvers, given.method!) ? solvers[given.method!]!.optionsSchema.shape : {};
    const rates = 'ratio' in schema ? ratios : [null];
    return rates.map(ratio => ({
      method: text,
      ratio,
      recipe: resolveRecipe(ratio === null ? given : { ...given, ratio }, `method ${text}`),
    }));
  });
}
