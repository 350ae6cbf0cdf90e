import type { LinearSite } from '@quern/core';
import { expect, it } from 'vitest';
import { resolveRecipe } from '../recipe.ts';
import { checkRatios } from './checkRatios.ts';
import { selectSites } from './selectSites.ts';

const site = (block: number, part: string, outFeatures: number, inFeatures: number): LinearSite => ({
  ...{ name: `model.layers.${block}.${part}`, block, outFeatures, inFeatures },
  ...{ nodeName: '', weightName: '', inputName: `${block}.${part}`, sharedInputGroup: `${block}.${part}` },
});
// One component takes 80 of 1024 values, and 32 of 256.
const sites = [site(0, 'up', 64, 16), site(0, 'k', 16, 16), site(1, 'up', 64, 16), site(1, 'k', 16, 16)];

const check = (method: string, ratio: number | string, options = {}): void => {
  const recipe = resolveRecipe({ method, ...(ratio === '' ? {} : { ratio }), options });
  checkRatios(selectSites(sites, recipe), recipe);
};

it('refuses a ratio that one site cannot meet, naming the site', () => {
  check('svd', 0.87);
  // 1 - 32 / 256 = .875
  expect(() => check('svd', 0.88)).toThrow(/^model\.layers\.0\.k: ratio \(0\.88\).*at most 0\.875/);
});

it('asks of a ratio that is spread that all sites together meet it', () => {
  // 1 - 2 (80 + 32) / (2 (1024 + 256)) = .9125
  check('svd-llm-v2', 0.91);
  expect(() => check('svd-llm-v2', 0.92)).toThrow(/ratio \(0\.92\).*at most 0\.912/);
});

it('refuses a ratio that one dictionary cannot meet, before it is solved, and lets one pass that is spread', () => {
  check('compot', 0.87);
  // One atom, a bit of the mask and a nonzero an output: 1 - (16 16 + 16 + 16 16) / (16 256) = .871
  expect(() => check('compot', 0.88)).toThrow(/^model\.layers\.0\.k: ratio \(0\.88\).*at most 0\.871/);
  check('rocket', 0.88);
  check('dictionary', 0.88);
  const recipe = resolveRecipe({ method: 'dictionary', ratio: 0.88, allocation: 'uniform' });
  expect(() => checkRatios(selectSites(sites, recipe), recipe)).toThrow(/^model\.layers\.0\.k: ratio/);
});

it('refuses a rank above the full one', () => {
  check('svd', '', { rank: 16 });
  expect(() => check('svd', '', { rank: 17 })).toThrow(/^model\.layers\.0\.up: rank \(17\): must be 1\.\.16/);
});
