import type { LinearSite } from '@quern/core';
import { expect, it } from 'vitest';
import type { PipelineEvent } from '../events.ts';
import { type RecipeInput, resolveRecipe } from '../recipe.ts';
import { selectSites } from '../solve/selectSites.ts';
import { adoptStorage } from './adoptStorage.ts';

const site = (part: string): LinearSite => ({
  ...{ name: `model.layers.0.${part}`, block: 0, outFeatures: 64, inFeatures: 96 },
  ...{ nodeName: '', weightName: '', inputName: 'x', sharedInputGroup: 'x' },
});

function adopt(input: RecipeInput): { storage: string | undefined; warnings: PipelineEvent[] } {
  const recipe = resolveRecipe(input);
  const warnings: PipelineEvent[] = [];
  const plans = selectSites([site('up'), site('down')], recipe);
  const { storage } = adoptStorage(plans, recipe, event => warnings.push(event));
  return { storage, warnings };
}

it.each<[RecipeInput, string]>([
  [{ method: 'watersic' }, 'packed'],
  [{ method: 'rtn', rules: [{ sites: '*.up', method: 'watersic' }] }, 'packed'],
  [{ method: 'watersic', rules: [{ sites: '*', method: 'rtn' }] }, 'container'],
  [{ method: 'gptq' }, 'container'],
  [{ method: 'gptq', layout: 'genai' }, 'container'],
  [{ method: 'dictionary', ratio: 0.3 }, 'packed-onnx'],
  [{ method: 'compot', ratio: 0.3, layout: 'genai' }, 'packed-onnx'],
  [{ method: 'compot', ratio: 0.3, storage: 'packed' }, 'packed'],
  [{ method: 'compot', ratio: 0.3, rules: [{ sites: '*.up', method: 'watersic', ratio: undefined }] }, 'packed'],
  [{ method: 'none' }, 'container'],
  [{ method: 'gptq', storage: 'packed' }, 'packed'],
  [{ method: 'watersic', storage: 'container' }, 'container'],
  [{ method: 'watersic', storage: 'container', layout: 'genai' }, 'container'],
])('%j is stored as %s', (input, storage) => {
  expect(adopt(input)).toEqual({ storage, warnings: [] });
});

it('warns where containers hold the zeros of sparse factors', () => {
  const { storage, warnings } = adopt({ method: 'dictionary', ratio: 0.3, storage: 'container' });
  expect(storage).toBe('container');
  expect(warnings).toEqual([{ kind: 'warning', message: expect.stringMatching(/zeros of sparse factors/) }]);
});

it('warns where a client would take away what entropy coding saves', () => {
  const { storage, warnings } = adopt({ method: 'watersic', layout: 'genai' });
  expect(storage).toBe('container');
  const message = expect.stringMatching(/is not saved.*--storage packed needs --layout transformersjs/);
  expect(warnings).toEqual([{ kind: 'warning', message }]);
});
