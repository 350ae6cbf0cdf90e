import type { LinearSite } from '@quern/core';
import { beforeEach, expect, it, vi } from 'vitest';
import type { PipelineEvent } from '../events.ts';
import type { OpenedModel } from '../open/openModel.ts';
import { type RecipeInput, resolveRecipe } from '../recipe.ts';
import { selectSites } from '../solve/selectSites.ts';
import { bitsForSize } from './bitsForSize.ts';
import { measureRest } from './packed/measureRest.ts';

// What is around the sites takes 1000 bytes.
vi.mock(import('./packed/measureRest.ts'), () => ({ measureRest: vi.fn(async () => 1000) }));
beforeEach(() => vi.mocked(measureRest).mockClear());

const site = (part: string): LinearSite => ({
  ...{ name: `model.layers.0.${part}`, block: 0, outFeatures: 64, inFeatures: 96 },
  ...{ nodeName: '', weightName: '', inputName: 'x', sharedInputGroup: 'x' },
});
const sites = [site('up'), site('down')];

async function bitsOf(input: RecipeInput): Promise<{ bits: unknown[]; warnings: PipelineEvent[] }> {
  const recipe = resolveRecipe({ method: 'watersic', storage: 'packed', ...input });
  const warnings: PipelineEvent[] = [];
  const emit = (event: PipelineEvent): void => void warnings.push(event);
  const plans = await bitsForSize({} as OpenedModel, selectSites(sites, recipe), recipe, emit);
  return { bits: plans.map(plan => plan.options.bits), warnings };
}

it('shares what the rest leaves among the weights', async () => {
  const { bits, warnings } = await bitsOf({ targetSize: '5kB' });
  // Kept back: a hundredth of a bit for 2 x 6144 weights, and a two thousandth of the rest.
  expect(bits[0]).toBeCloseTo((8 * 3999.5) / 12_288 - 0.01, 12);
  expect(bits).toEqual([bits[0], bits[0]]);
  expect(warnings).toEqual([]);
});

it('counts sites of other methods as they will be packed', async () => {
  const { bits } = await bitsOf({ targetSize: 8000, rules: [{ sites: '*.down', method: 'rtn', bits: 3 }] });
  // Three bits for 6144 codes, a byte, and a float16 scale for each 32: 2304 + 1 + 384 bytes.
  expect(bits[0]).toBeCloseTo((8 * (8000 - 1000.5 - 2689)) / 6144 - 0.01, 12);
  expect(bits[1]).toBe(3);
});

it('warns where there is room for more than eight bits', async () => {
  const { bits, warnings } = await bitsOf({ targetSize: '1MB' });
  expect(bits).toEqual([8, 8]);
  // 1000.5 + 12288 * 8.01 / 8 = 13303.9
  expect(warnings).toMatchObject([{ kind: 'warning', message: expect.stringContaining('about 13304 bytes') }]);
});

it('refuses less than one bit a weight, and names the least size, which can be had', async () => {
  const refusal = expect.stringMatching(/targetSize \(2kB\): out of reach: 1000 bytes.*The least is 2552 bytes/);
  await expect(bitsOf({ targetSize: '2kB' })).rejects.toMatchObject({ code: 'INVALID_OPTION', message: refusal });
  // 1000.5 + 12288 * 1.01 / 8 = 2551.9
  expect(Number((await bitsOf({ targetSize: 2552 })).bits[0])).toBeCloseTo(1, 2);
});

it.each<[RecipeInput, RegExp]>([
  [{ method: 'gptq' }, /only entropy-coded methods reach any size: use --method watersic/],
  [{ storage: 'container' }, /counts packed files, not container: use --storage packed/],
  [{ bits: 3 }, /chooses the bits that bits gives/],
  [{ options: { bits: 3 } }, /chooses the bits that options\.bits gives/],
  [{ rules: [{ sites: '*.up', bits: 3 }] }, /chooses the bits that rules\[0\]\.bits gives/],
  [{ rules: [{ sites: '*.up', options: { bits: 3 } }] }, /chooses the bits that rules\[0\]\.options\.bits gives/],
])('refuses %j before it measures', async (input, message) => {
  await expect(bitsOf({ targetSize: '5kB', ...input })).rejects.toThrow(message);
  expect(measureRest).not.toHaveBeenCalled();
});

it('leaves bits of other methods to them', async () => {
  const rules = [{ sites: '*.up', method: 'watersic' }];
  const { bits } = await bitsOf({ targetSize: 8000, method: 'rtn', bits: 4, rules });
  expect(bits[0]).not.toBe(4);
  expect(bits[1]).toBe(4);
});

it('does nothing where no size is asked for', async () => {
  expect((await bitsOf({ bits: 2.5 })).bits).toEqual([2.5, 2.5]);
  expect(measureRest).not.toHaveBeenCalled();
});
