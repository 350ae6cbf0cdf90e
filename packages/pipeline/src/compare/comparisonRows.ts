import { CompressionError } from '@quern/core';
import { solvers } from '@quern/solvers';
import { withoutBudget } from '../budget/withoutBudget.ts';
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
 * Methods and ratios that are named twice give one row. Errors: INVALID_OPTION for none, which has nothing to compare; those of
 * `parseMethod` and `resolveRecipe`.
 */
export function comparisonRows(base: Recipe, methods: readonly string[], ratios: readonly number[]): RowPlan[] {
  const { bits: _bits, groupSize: _groupSize, ratio: _ratio, allocation, ...shared } = withoutBudget(base);
  return [...new Set(methods)].flatMap(text => {
    const given = { ...shared, options: {}, sequential: false, ...parseMethod(text) };
    if (given.method === 'none') {
      throw new CompressionError(
        'INVALID_OPTION',
        '--methods none: it solves nothing that could be compared. The original is measured anyway; dense has its weights in float16.',
      );
    }
    const schema = Object.hasOwn(solvers, given.method!) ? solvers[given.method!]!.optionsSchema.shape : {};
    const takesRatio = 'ratio' in schema;
    const rates = takesRatio ? new Set(ratios) : [null];
    const settings = takesRatio && allocation !== undefined ? { ...given, allocation } : given;
    return [...rates].map(ratio => ({
      method: text,
      ratio,
      recipe: resolveRecipe(ratio === null ? settings : { ...settings, ratio }, `method ${text}`),
    }));
  });
}
