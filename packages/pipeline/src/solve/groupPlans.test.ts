import type { LinearSite } from '@quern/core';
import { expect, it } from 'vitest';
import { groupPlans } from './groupPlans.ts';
import type { SitePlan } from './sitePlan.ts';

function plan(name: string, block: number, solver = 'basis-sharing', blocksPerGroup = 2): SitePlan {
  const site = { name, block, outFeatures: 8, inFeatures: 16 } as LinearSite;
  return { site, solver, options: solver === 'basis-sharing' ? { ratio: 0.2, blocksPerGroup } : {} };
}

const names = (plans: readonly SitePlan[]): string[][] =>
  groupPlans(plans).map(group => group.map(({ site }) => site.name));

it('puts weights of one place in following blocks together, the others alone', () => {
  const plans = [4, 0, 1, 2, 3].flatMap(block => [
    plan(`layers.${block}.q_proj`, block),
    plan(`layers.${block}.up_proj`, block, 'rtn'),
  ]);
  expect(names(plans)).toEqual([
    ['layers.0.q_proj', 'layers.1.q_proj'],
    ['layers.2.q_proj', 'layers.3.q_proj'],
    ['layers.4.q_proj'],
    ...[4, 0, 1, 2, 3].map(block => [`layers.${block}.up_proj`]),
  ]);
});

it('keeps other shapes and other options apart', () => {
  const [first, second, third] = [0, 1, 2].map(block => plan(`layers.${block}.q_proj`, block, 'basis-sharing', 3));
  const wider = { ...second!, site: { ...second!.site, inFeatures: 32 } };
  const stronger = { ...third!, options: { ...third!.options, ratio: 0.4 } };
  expect(names([first!, wider, stronger])).toEqual([['layers.0.q_proj'], ['layers.1.q_proj'], ['layers.2.q_proj']]);
});

it('stacks sites that read one input where they are asked for the same', () => {
  const reader = (name: string, options: SitePlan['options']): SitePlan => ({
    site: { name, block: 0, outFeatures: 8, inFeatures: 16, inputName: 'x' } as LinearSite,
    ...{ solver: 'dictionary', options },
  });
  const plans = [reader('q_proj', { ratio: 0.2 }), reader('k_proj', { ratio: 0.2 }), reader('v_proj', { ratio: 0.1 })];
  expect(names(plans)).toEqual([['q_proj', 'k_proj'], ['v_proj']]);
  // What several blocks read, as they do a memory, is one weight in each.
  const next = { ...plans[0]!, site: { ...plans[0]!.site, name: 'next.q_proj', block: 1 } };
  expect(names([...plans, next])).toEqual([['q_proj', 'k_proj'], ['v_proj'], ['next.q_proj']]);
  // Scales of an input are for all its readers.
  expect(names(plans.map(plan => ({ ...plan, solver: 'awq' })))).toEqual([['q_proj', 'k_proj', 'v_proj']]);
});

it('puts side by side what is alone on its input, in a block and with as many outputs', () => {
  const place = (name: string, block: number | null, inputName: string, inFeatures = 16): SitePlan => ({
    site: { name, block, outFeatures: 8, inFeatures, inputName } as LinearSite,
    ...{ solver: 'dictionary', options: { ratio: 0.2 } },
  });
  const plans = [0, 1].flatMap(block => [
    ...['q', 'k'].map(name => place(`${block}.${name}`, block, `x${block}`)),
    place(`${block}.o`, block, `y${block}`),
    place(`${block}.down`, block, `z${block}`, 24),
    // Atoms over its inputs are shorter.
    place(`${block}.narrow`, block, `v${block}`, 4),
  ]);
  const expected = [0, 1].flatMap(block => [
    [`${block}.q`, `${block}.k`],
    [`${block}.o`, `${block}.down`],
    [`${block}.narrow`],
  ]);
  expect(names(plans)).toEqual(expected);
  expect(names([place('o', null, 'y'), place('down', null, 'z')])).toEqual([['o'], ['down']]);
  const onGrids = plans.slice(2, 4).map(plan => ({ ...plan, options: { ratio: 0.8, bits: 4 } }));
  expect(names(onGrids)).toEqual([['0.o', '0.down']]);
});
