import type { LinearSite } from '@quern/core';
import { expect, it } from 'vitest';
import { type RecipeInput, resolveRecipe } from '../recipe.ts';
import { planSizes } from './planSizes.ts';
import { selectSites } from './selectSites.ts';

const size = (input: RecipeInput, inFeatures = 96): [number, string] => {
  const site: LinearSite = {
    ...{ name: 'model.layers.0.up', block: 0, outFeatures: 64, inFeatures },
    ...{ nodeName: '', weightName: '', inputName: 'x', sharedInputGroup: 'x' },
  };
  const recipe = resolveRecipe(input);
  const [planned] = planSizes(selectSites([site], recipe), recipe);
  return [planned!.storageBits, planned!.figure];
};

const WEIGHTS = 64 * 96;
/** float16, one for 32 inputs. */
const SCALES = 64 * 3 * 16;
/** The byte with which planes begin. */
const LOWEST = 8;

it.each<[RecipeInput, number, string]>([
  [{ method: 'gptq', bits: 3 }, 4 * WEIGHTS + SCALES, 'exact'],
  [{ method: 'gptq', bits: 3, storage: 'packed' }, 3 * WEIGHTS + SCALES + LOWEST, 'atMost'],
  [{ method: 'rtn', bits: 5, storage: 'packed-onnx' }, 5 * WEIGHTS + SCALES + LOWEST, 'atMost'],
  // Planes of the full width save nothing.
  [{ method: 'rtn', bits: 8, storage: 'packed' }, 8 * WEIGHTS + SCALES, 'atMost'],
  [{ method: 'watersic', bits: 2.5, storage: 'packed' }, 2.5 * WEIGHTS, 'target'],
  [{ method: 'watersic', bits: 2.5, storage: 'container' }, 2.5 * WEIGHTS, 'atLeast'],
])('%j takes %i bits, %s', (input, bits, figure) => {
  expect(size(input)).toEqual([bits, figure]);
});

it('counts the padding of ragged rows', () => {
  // Rows of 80 are stored as three blocks of 32.
  expect(size({ method: 'rtn', bits: 3, storage: 'packed' }, 80)).toEqual([3 * WEIGHTS + SCALES + LOWEST, 'atMost']);
});

it('counts no planes for factors, and says where a ratio is spread', () => {
  const factors: RecipeInput = { method: 'svd', bits: 3, ratio: 0.5 };
  expect(size({ ...factors, storage: 'packed' })).toEqual([size(factors)[0], 'atMost']);
  expect(size({ ...factors, method: 'svd-llm-v2' })[1]).toBe('estimate');
});

it('shares out what is one sum for all that read an input', () => {
  const sites: LinearSite[] = ['q', 'k', 'o'].map((name, index) => ({
    ...{ name: `model.layers.0.${name}`, block: 0, outFeatures: index === 1 ? 32 : 64, inFeatures: 96 },
    ...{ nodeName: name, weightName: name, inputName: name === 'o' ? 'y' : 'x', sharedInputGroup: 'x' },
  }));
  const recipe = resolveRecipe({ method: 'dictionary', ratio: 0.25, allocation: 'uniform', storage: 'packed' });
  const planned = planSizes(selectSites(sites, recipe), recipe);
  expect(planned.map(({ storageBits, figure }) => [storageBits, figure])).toEqual([
    [12 * 64 * 96, 'target'],
    [12 * 32 * 96, 'target'],
    [12 * 64 * 96, 'atMost'],
  ]);
});
