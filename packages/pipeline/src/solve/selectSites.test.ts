import type { LinearSite } from '@quern/core';
import { describe, expect, it } from 'vitest';
import { type RecipeInput, resolveRecipe } from '../recipe.ts';
import { plansInTotals, type SitePlan, selectSites, solverOptions } from './selectSites.ts';

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
  plans.map(plan => [plan.site.name.replace(/model\.layers\.|self_attn\.|mlp\./g, ''), plan.bits]);

describe('sites', () => {
  it('are those of the blocks; without blocks all', () => {
    expect(select({}).map(plan => plan.site)).toEqual(sites);
    const flat = [site('conv', null), head];
    expect(select({}, flat).map(plan => plan.site)).toEqual(flat);
  });

  it('include a head that a rule names in full, outside the totals', () => {
    const plans = select({ rules: [{ sites: 'lm_head', bits: 6 }] });
    expect(plans.map(plan => plan.site)).toEqual([...sites, head]);
    expect(plans.at(-1)!.bits).toBe(6);
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
    expect(plans.map(plan => plan.groupSize)).toEqual([32, 32, 32, 32, 64, 32]);
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
    expect(first!.options).toEqual({ actOrder: true, dampingFraction: 0.02 });
    expect(second!.options).toEqual({ actOrder: true, dampingFraction: 0.5 });
    expect([third!.solver, third!.options]).toEqual(['rtn', { symmetric: false }]);
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

it('takes a group that is as long as a row for the row', () => {
  const [plan] = select({ groupSize: 64 });
  expect([plan!.groupSize, solverOptions(plan!).groupSize]).toEqual([64, 'channel']);
  expect(solverOptions(select({ groupSize: 64 })[2]!)).toEqual({ bits: 4, groupSize: 64 });
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
