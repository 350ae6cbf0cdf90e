import { expect, it } from 'vitest';
import { resolveRecipe } from '../recipe.ts';
import { comparisonRows } from './comparisonRows.ts';

const named = (methods: readonly string[], ratios: readonly number[], base = {}) =>
  comparisonRows(resolveRecipe(base), methods, ratios).map(({ method, ratio }) => `${method} ${ratio}`);

it('makes a row for each ratio where a method takes one, and only one of what is named twice', () => {
  expect(named(['rtn', 'svd:8', 'rtn'], [0.2, 0.4, 0.2])).toEqual(['rtn null', 'svd:8 0.2', 'svd:8 0.4']);
});

it("takes over what holds for every method, and nothing that belongs to the recipe's own", () => {
  const base = resolveRecipe({
    ...{ method: 'svd', bits: 8, groupSize: 64, ratio: 0.3, allocation: 'pooled', options: { rank: 2 } },
    ...{ headBits: 16, rules: [{ sites: '*.q_proj', method: 'rtn' }] },
  });
  const [rtn, svd] = comparisonRows(base, ['rtn:3', 'svd'], [0.5]);
  const shared = { headBits: 16, rules: base.rules, sequential: false, options: {} };
  expect(rtn!.recipe).toMatchObject({ ...shared, method: 'rtn', bits: 3 });
  for (const key of ['groupSize', 'ratio', 'allocation']) expect(rtn!.recipe).not.toHaveProperty(key);
  expect(svd!.recipe).toMatchObject({ ...shared, method: 'svd', ratio: 0.5, allocation: 'pooled' });
  expect(svd!.recipe).not.toHaveProperty('bits');
});

it('refuses none', () => {
  expect(() => named(['rtn', 'none'], [])).toThrow(/--methods none: it solves nothing/);
});
