import { createModel, DataType, findLinearSites, inlineInitializer, node, tensorInput } from '@quern/onnx';
import { expect, it } from 'vitest';
import { resolveRecipe } from '../recipe.ts';
import { adoptDtype } from './adoptDtype.ts';
import type { OpenedModel } from './openModel.ts';

function opened(dataType: number, kind: OpenedModel['kind'] = 'onnx'): OpenedModel {
  const bytes = new Uint8Array(dataType === DataType.DOUBLE ? 32 : dataType === DataType.FLOAT ? 16 : 8);
  const model = createModel({
    folder: '.',
    inputs: [tensorInput('x', dataType, ['n', 2])],
    outputs: [tensorInput('y', dataType, ['n', 2])],
    initializers: [inlineInitializer('fc.weight', dataType, [2, 2], bytes)],
    nodes: [node('MatMul', ['x', 'fc.weight'], ['y'])],
  });
  return { kind, path: 'm.onnx', model, files: [], tokenizerFolder: null, text: null };
}
const adopt = (source: OpenedModel, dtype: 'fp32' | 'fp16') => {
  const plans = findLinearSites(source.model).map(site => ({
    site,
    solver: 'rtn',
    options: { bits: 4 },
  }));
  return adoptDtype(source, plans, resolveRecipe({ dtype })).dtype;
};

it('takes the arithmetic of an .onnx file as it is', () => {
  expect(adopt(opened(DataType.FLOAT16), 'fp32')).toBe('fp16');
  expect(adopt(opened(DataType.FLOAT16), 'fp16')).toBe('fp16');
  expect(adopt(opened(DataType.FLOAT), 'fp32')).toBe('fp32');
});

it('leaves the choice where the graph is made from a checkpoint', () => {
  expect(adopt(opened(DataType.FLOAT, 'checkpoint'), 'fp16')).toBe('fp16');
});

it('refuses what it cannot do', () => {
  expect(() => adopt(opened(DataType.FLOAT), 'fp16')).toThrow(/computes in float32/);
  expect(() => adopt(opened(DataType.DOUBLE), 'fp32')).toThrow(/computes in DOUBLE.*--exclude 'fc'/);
  expect(adoptDtype(opened(DataType.DOUBLE), [], resolveRecipe({})).dtype).toBe('fp32');
});
