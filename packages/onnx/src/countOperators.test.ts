import { expect, it } from 'vitest';
import { createModel } from './build/createModel.ts';
import { node } from './build/node.ts';
import { countOperators } from './countOperators.ts';

it('counts the operators of a graph and its sub-graphs', () => {
  const parts = { folder: '.', inputs: [], outputs: [] };
  const inner = createModel({ ...parts, nodes: [node('Relu', ['x'], ['a']), node('Relu', ['a'], ['b'])] }).proto.graph!;
  const attributes = { then_branch: { graph: inner }, else_branch: { graph: inner } };
  const model = createModel({
    ...parts,
    nodes: [node('If', ['flag'], ['y'], { attributes }), node('Neg', ['y'], ['z'])],
  });
  expect(countOperators(model)).toEqual([
    { name: 'Relu', count: 4 },
    { name: 'If', count: 1 },
    { name: 'Neg', count: 1 },
  ]);
});
