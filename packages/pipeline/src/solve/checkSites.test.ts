import {
  createModel,
  DataType,
  findLinearSites,
  floatInitializer,
  type GraphProto,
  node,
  tensorInput,
} from '@quern/onnx';
import { expect, it } from 'vitest';
import { checkSites } from './checkSites.ts';
import { nothingToSolve } from './nothingToSolve.ts';
import type { SitePlan } from './sitePlan.ts';

/** If(flag) then x W else x V: both sites stand in sub-graphs. */
const branch = (name: string): GraphProto =>
  createModel({
    folder: '.',
    graphName: name,
    inputs: [],
    outputs: [tensorInput(`${name}_y`, DataType.FLOAT, ['n', 2])],
    initializers: [floatInitializer(`${name}.weight`, [1, 2, 3, 4], [2, 2])],
    nodes: [node('MatMul', ['x', `${name}.weight`], [`${name}_y`], { name: `/${name}/MatMul` })],
  }).proto.graph!;
const inputs = [tensorInput('x', DataType.FLOAT, ['n', 2]), tensorInput('flag', DataType.BOOL, [])];
const model = createModel({
  folder: '.',
  inputs,
  outputs: [tensorInput('y', DataType.FLOAT, ['n', 2])],
  nodes: [
    node('If', ['flag'], ['y'], {
      name: 'choice',
      attributes: { then_branch: { graph: branch('yes') }, else_branch: { graph: branch('no') } },
    }),
  ],
});
const plansFor = (solver: string): SitePlan[] =>
  findLinearSites(model).map(site => ({ site, solver, options: { bits: 4 } }));

it('refuses solvers that read activations for sites inside sub-graphs, and names the ways out', () => {
  expect(plansFor('gptq')).toHaveLength(2);
  const check = () => checkSites(model, plansFor('gptq'));
  expect(check).toThrow(/sub-graph.*gptq needs it.*--method rtn.*--exclude 'choice\.then_branch\.yes'/);
  expect(check).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
  expect(() => checkSites(model, plansFor('rtn'))).not.toThrow();
});

it('says what a model without linear layers is made of', () => {
  expect(nothingToSolve(model)).toBeNull();
  const convolution = createModel({
    folder: '.',
    inputs: [tensorInput('image', DataType.FLOAT, [1, 1, 4, 4])],
    outputs: [tensorInput('y', DataType.FLOAT, [1, 1, 2, 2])],
    initializers: [floatInitializer('kernel', new Float32Array(9), [1, 1, 3, 3])],
    nodes: [node('Conv', ['image', 'kernel'], ['y'])],
  });
  expect(nothingToSolve(convolution)).toMatch(/no linear layer.*Conv \(1\)/);
});
