import type { LinearSite } from '@quern/core';
import { describe, expect, it } from 'vitest';
import { type RecipeInput, resolveRecipe } from '../recipe.ts';
import { plansInTotals, selectSites } from './selectSites.ts';
import { groupSizeOf, nominalBitsOf, type SitePlan } from './sitePlan.ts';

function site(name: string, block: number | null, inFeatures = 64): LinearSite {
  const nodeName = `/${name}/MatMul`;
  return {
    name,
    block,
    outFeatures: 8,
    inFeatures,
    nodeName,
    weightName: `${name}.weight`,
    inputName: `${name}.input`,
    sharedInputGroup: `${name}.input`,
  };
}

const sites = [0, 1].flatMap(block => [
  site(`model.layers.${block}.self_attn.q_proj`, block),
  site(`model.layers.${block}.mlp.up_proj`, block),
  site(`model.layers.${block}.mlp.down_proj`, block, 96),
]);
const head = site('lm_head', null);

const select = (recipe: RecipeInput, from = [...sites, head]): SitePlan[] => selectSites(from, resolveRecipe(recipe));
const widths = (plans: readonly SitePlan[]): (readonly [string, number])[] =>
  plans.map(plan => [plan.site.name.replace(/model\.layers\.|self_attn\.|mlp\./g, ''), nominalBitsOf(plan)]);

describe('sites', () => {
  it('are those of the blocks; without blocks all', () => {
    expect(select({}).map(plan => plan.site)).toEqual(sites);
    const flat = [site('conv', null), head];
    expect(select({}, flat).map(plan => plan.site)).toEqual(flat);
  });

  it('include a head that a rule names in full, outside the totals', () => {
    const plans = select({ rules: [{ sites: 'lm_head', bits: 6 }] });
    expect(plans.map(plan => plan.site)).toEqual([...sites, head]);
    expect(nominalBitsOf(plans.at(-1)!)).toBe(6);
    expect(plansInTotals(plans).map(plan => plan.site)).toEqual(sites);
    expect(select({ rules: [{ sites: '*', bits: 6 }] }).map(plan => plan.site)).toEqual(sites);
  });

  it('are left out by globs', () => {
    expect(widths(select({ exclude: ['*.down_proj', 'model.layers.{1,2}.self_attn.*'] }))).toEqual([
      ['0.q_proj', 4],
      ['0.up_proj', 4],
      ['1.up_proj', 4],
    ]);
    expect(select({ exclude: ['*'] })).toEqual([]);
    expect(select({ method: 'none' })).toEqual([]);
  });

  it('must be matched by every pattern', () => {
    const message =
      /"no\.such\.\*" matches none of the \d sites; a name looks like model\.layers\.0\.self_attn\.q_proj/;
    expect(() => select({ exclude: ['no.such.*'] })).toThrow(message);
    expect(() => select({ rules: [{ sites: 'no.such.*' }] })).toThrow(message);
    const embedding = () => select({ exclude: ['/model/embed_tokens/Gather'] });
    expect(embedding).toThrow(/matches none.*Embeddings are not sites: headBits 16 leaves them/);
    // A pattern does not reach the head; its full name does, and excluding it leaves it as it is.
    expect(() => select({ rules: [{ sites: 'lm_*', bits: 8 }] })).toThrow(/matches none/);
    expect(select({ exclude: ['lm_head'] })).toHaveLength(sites.length);
  });
});

describe('rules', () => {
  it('win over the defaults, later ones over earlier ones', () => {
    const rules = [
      { sites: '*.down_proj', bits: 6 },
      { sites: 'model.layers.1.*', bits: 3 },
      { sites: '*.1.mlp.up_proj', groupSize: 'channel' as const },
    ];
    const plans = select({ bits: 5, rules });
    expect(widths(plans)).toEqual([
      ['0.q_proj', 5],
      ['0.up_proj', 5],
      ['0.down_proj', 6],
      ['1.q_proj', 3],
      ['1.up_proj', 3],
      ['1.down_proj', 3],
    ]);
    expect(plans.map(groupSizeOf)).toEqual([32, 32, 32, 32, 64, 32]);
  });

  it('add options to those of the same method, and start anew with another', () => {
    const [first, second, third] = select(
      {
        options: { actOrder: true, dampingFraction: 0.02 },
        rules: [
          { sites: 'b', options: { dampingFraction: 0.5 } },
          { sites: 'c', method: 'rtn', options: { symmetric: false } },
        ],
      },
      ['a', 'b', 'c'].map(name => site(name, 0)),
    );
    expect(first!.options).toMatchObject({ actOrder: true, dampingFraction: 0.02 });
    expect(second!.options).toMatchObject({ actOrder: true, dampingFraction: 0.5 });
    expect(third!.solver).toBe('rtn');
    expect(third!.options).toMatchObject({ symmetric: false });
    expect(third!.options).not.toHaveProperty('actOrder');
  });

  it('can leave sites as they are, and give back what was left', () => {
    const rules = [
      { sites: '*', method: 'none' },
      { sites: '*.up_proj', method: 'rtn' },
    ];
    expect(select({ rules }).map(plan => [plan.site.block, plan.solver])).toEqual([
      [0, 'rtn'],
      [1, 'rtn'],
    ]);
  });
});

it('has groups no longer than a row', () => {
  expect(select({ groupSize: 128 }).slice(0, 3).map(groupSizeOf)).toEqual([64, 64, 96]);
  expect(select({ groupSize: 'channel' }).slice(0, 3).map(groupSizeOf)).toEqual([64, 64, 96]);
});

describe('a ratio', () => {
  const ratios = (recipe: RecipeInput): unknown[] => select(recipe).map(plan => plan.options.ratio);

  it('is a number or an expression over the block', () => {
    expect(ratios({ method: 'svd', ratio: 0.25 })).toEqual(Array(6).fill(0.25));
    const expression = '0.1 + 0.4 * block / (blockCount - 1)';
    expect(ratios({ method: 'svd', ratio: expression })).toEqual([0.1, 0.1, 0.1, 0.5, 0.5, 0.5]);
    expect(ratios({ method: 'svd', ratio: 0.2, rules: [{ sites: '*.1.*', ratio: 'max(0.3, block / 4)' }] })).toEqual([
      0.2, 0.2, 0.2, 0.3, 0.3, 0.3,
    ]);
  });

  it.each([
    ['block', /ratio \(block\) gives 1 for block 1: must be from 0 to below 1/],
    ['layer / 2', /ratio \(layer \/ 2\): Undefined symbol layer/],
    ['0.1 +', /ratio \(0.1 \+\): Unexpected end of expression/],
    ['import({})', /import is not available/],
    ['[0.1, 0.2]', /No "matrix" implementation/],
    ['0 / 0', /gives NaN/],
  ])('is refused when it gives no fraction: %s', (ratio, message) => {
    expect(() => select({ method: 'svd', ratio })).toThrow(message);
    expect(() => select({ method: 'svd', ratio })).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
  });

  it('is for methods that take one', () => {
    expect(() => select({ method: 'gptq', ratio: 0.2 })).toThrow(/ratio \(0.2\): gptq takes no such setting/);
    expect(() => select({ rules: [{ sites: '*.1.*', ratio: 0.2 }] })).toThrow(/options of gptq: ratio: no such key/);
    const mixed = select({ method: 'svd', ratio: 0.2, rules: [{ sites: '*.1.*', method: 'rtn', bits: 3 }] });
    expect(mixed.map(plan => [plan.solver, plan.options.ratio, nominalBitsOf(plan)])).toEqual([
      ...Array(3).fill(['svd', 0.2, 16]),
      ...Array(3).fill(['rtn', undefined, 3]),
    ]);
  });
});

describe('a method', () => {
  it('must be known', () => {
    expect(() => select({ method: 'magic' })).toThrow(/"magic": known are none, .*gptq/);
    expect(() => select({ method: 'toString' })).toThrow(/"toString"/);
    expect(() => select({ rules: [{ sites: '*', method: 'magic' }] })).toThrow(/"magic"/);
  });

  it('must know its options, before any work', () => {
    expect(() => select({ method: 'rtn', options: { actOrder: true } })).toThrow(
      /options of rtn: actOrder: no such key/,
    );
    expect(() => select({ options: { dampingFraction: -1 } })).toThrow(/dampingFraction \(-1\): must be above 0/);
  });
});
