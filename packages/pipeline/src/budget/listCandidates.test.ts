import { join } from 'node:path';
import { importCheckpoint } from '@quern/importer';
import {
  createModel,
  DataType,
  findBlockCuts,
  findLinearSites,
  floatInitializer,
  node,
  type OnnxModel,
  tensorInput,
} from '@quern/onnx';
import { isEntropyCoded, isSparse, solvers } from '@quern/solvers';
import { beforeAll, describe, expect, it } from 'vitest';
import { type RecipeInput, resolveRecipe } from '../recipe.ts';
import { adoptMethods } from './adoptMethods.ts';
import { listCandidates } from './listCandidates.ts';

const demo = join(import.meta.dirname, '..', '..', '..', '..', 'models', 'demo');
let model: OnnxModel;
beforeAll(async () => {
  model = (await importCheckpoint(demo, { dtype: 'fp32' })).model;
});

function candidatesOf(input: RecipeInput) {
  const recipe = adoptMethods(resolveRecipe({ bitsPerWeight: 3, ...input }));
  return listCandidates(model, findLinearSites(model), findBlockCuts(model), recipe);
}

/** `method:bits:group` of every way of one site. */
const waysOf = (input: RecipeInput, name = 'model.layers.0.mlp.down_proj'): string[] =>
  candidatesOf(input)
    .find(({ site }) => site.name === name)!
    .plans.map(({ solver, options }) =>
      [solver, options.bits, options.groupSize].filter(part => part !== undefined).join(':'),
    );

describe('listCandidates', () => {
  it('tries every width that a container tells apart, in every group', () => {
    const ways = waysOf({ method: 'gptq' });
    expect(ways).toEqual(expect.arrayContaining(['gptq:2:32', 'gptq:4:128', 'gptq:8:channel']));
    // 3 bits take the room of 4, and 5 to 7 that of 8.
    expect(ways.some(way => /:(3|5|6|7):/.test(way))).toBe(false);
    expect(waysOf({ method: 'gptq', storage: 'packed' })).toEqual(expect.arrayContaining(['gptq:3:32', 'gptq:7:64']));
  });

  it('keeps to what a method, a flag and a rule say', () => {
    expect(waysOf({ methods: ['gptq:4:64'] })).toEqual(['gptq:4:64']);
    expect(waysOf({ methods: ['rtn:4'], groupSize: 32 })).toEqual(['rtn:4:32']);
    const rules = [{ sites: '*.down_proj', bits: 8, groupSize: 32 as const }];
    expect(waysOf({ method: 'gptq', rules })).toEqual(['gptq:8:32']);
    const other = [{ sites: '*.down_proj', method: 'rtn' }];
    expect(waysOf({ method: 'gptq', rules: other }).every(way => way.startsWith('rtn:'))).toBe(true);
    expect(waysOf({ method: 'gptq', rules: other }, 'model.layers.0.mlp.up_proj')[0]).toMatch(/^gptq/);
    expect(waysOf({ method: 'gptq', target: 'cuda' }).some(way => way.startsWith('gptq:2'))).toBe(false);
  });

  it('tries searched ranges beside full ones where few bits are left open, unless an option says', () => {
    const searches = (input: RecipeInput) =>
      candidatesOf(input)[0]!
        .plans.filter(({ options }) => options.shrinkSearch === true)
        .map(({ options }) => `${options.bits}${options.actOrder ? ' in order' : ''}`);
    expect(new Set(searches({ method: 'gptq' }))).toEqual(new Set(['2', '2 in order', '4 in order']));
    expect(new Set(searches({ method: 'rtn' }))).toEqual(new Set(['2', '4']));
    expect(searches({ methods: ['gptq:4:64'] })).toEqual([]);
    expect(searches({ method: 'gptq', options: { shrinkSearch: false } })).toEqual([]);
    expect(searches({ method: 'gptq', options: { actOrder: false } })).toEqual([]);
  });

  it('takes any method of the registry that solves site by site', () => {
    for (const [name, solver] of Object.entries(solvers)) {
      const storage = isEntropyCoded(solver) ? 'packed' : isSparse(solver) ? 'packed-onnx' : 'container';
      if (solver.needs === 'group') expect(() => candidatesOf({ methods: [name], storage })).toThrow('site by site');
      else expect(candidatesOf({ methods: [name], storage }).every(({ plans }) => plans.length > 0)).toBe(true);
    }
  });

  it('counts sparse factors with masks', () => {
    expect(() => candidatesOf({ methods: ['compot'], storage: 'container' })).toThrow('packed-onnx or packed');
    const named = [['compot'], ['gptq', 'compot'], ['gptq'], ['compot', 'watersic']];
    expect(named.map(methods => adoptMethods(resolveRecipe({ bitsPerWeight: 3, methods })).storage)).toEqual([
      ...['packed-onnx', 'packed-onnx', 'container', 'packed'],
    ]);
  });

  it('leaves out ratios that a small weight cannot meet', () => {
    const highestOf = (outFeatures: number, inFeatures: number): number => {
      const small = createModel({
        folder: '.',
        nodes: [node('MatMul', ['x', 'w'], ['y'])],
        initializers: [floatInitializer('w', new Float32Array(outFeatures * inFeatures), [inFeatures, outFeatures])],
        inputs: [tensorInput('x', DataType.FLOAT, ['rows', inFeatures])],
        outputs: [tensorInput('y', DataType.FLOAT, ['rows', outFeatures])],
      });
      const recipe = adoptMethods(resolveRecipe({ bitsPerWeight: 3, method: 'dictionary' }));
      const [first] = listCandidates(small, findLinearSites(small), null, recipe);
      return Math.max(...first!.plans.map(({ options }) => Number(options.ratio)));
    };
    expect(highestOf(256, 256)).toBeGreaterThan(0.93);
    // One atom over the outputs, with its mask and nonzeros: 1 - (16 16 + 128 + 16 128) / (16 2048) = .926
    expect(highestOf(16, 128)).toBeLessThan(0.927);
    expect(highestOf(16, 128)).toBeGreaterThan(0.9);
  });

  it('chooses packed files and what is made for them where nothing is named', () => {
    const methods = new Set(waysOf({}).map(way => way.split(':')[0]));
    expect(methods).toEqual(new Set(['gptq', 'watersic']));
    expect(new Set(waysOf({ storage: 'container' }).map(way => way.split(':')[0]))).toEqual(new Set(['gptq']));
  });
});
