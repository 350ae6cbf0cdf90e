import { describe, expect, it } from 'vitest';
import { createModel } from '../build/createModel.ts';
import { inlineInitializer } from '../build/inlineInitializer.ts';
import { node } from '../build/node.ts';
import { tensorInput } from '../build/tensorInput.ts';
import { DataType } from '../dataType.ts';
import type { NodeProto } from '../generated/onnx_pb.js';
import { fuseTransposes } from './fuseTransposes.ts';

const turn = { attributes: { perm: { ints: [1, 0] } } };

function modelOf(nodes: readonly NodeProto[], dataType: number = DataType.FLOAT) {
  const bytes = new Uint8Array(6 * (dataType === DataType.FLOAT ? 4 : 2));
  return createModel({
    folder: '.',
    inputs: [tensorInput('x', DataType.FLOAT, ['batch', 2, 3])],
    outputs: [tensorInput('y', DataType.FLOAT, ['batch', 2, 2])],
    initializers: [inlineInitializer('w', dataType, [2, 3], bytes)],
    nodes: [...nodes],
  });
}

const operators = ({ proto }: ReturnType<typeof modelOf>) => proto.graph!.node.map(each => each.opType);

describe('fuseTransposes', () => {
  it('lets a product read a weight as it lies, also through a cast, and leaves the model as it was', () => {
    const nodes = [node('Transpose', ['w'], ['t'], turn), node('MatMul', ['x', 't'], ['y'])];
    const model = modelOf(nodes);
    const fused = fuseTransposes(model);
    expect(operators(fused)).toEqual(['FusedMatMul']);
    expect(fused.proto.graph!.node[0]).toMatchObject({ domain: 'com.microsoft', input: ['x', 'w'], output: ['y'] });
    expect(fused.proto.opsetImport.map(({ domain }) => domain)).toEqual(['', 'com.microsoft']);
    expect(operators(model)).toEqual(['Transpose', 'MatMul']);
    const cast = node('Cast', ['w'], ['f'], { attributes: { to: { int: DataType.FLOAT } } });
    const behind = [cast, node('Transpose', ['f'], ['t'], turn), node('MatMul', ['x', 't'], ['y'])];
    expect(operators(fuseTransposes(modelOf(behind, DataType.BFLOAT16)))).toEqual(['Cast', 'FusedMatMul']);
  });

  it('keeps a turned weight that something else reads', () => {
    const others = [node('Transpose', ['w'], ['t'], turn), node('MatMul', ['x', 't'], ['m'])];
    const fused = fuseTransposes(modelOf([...others, node('Add', ['m', 't'], ['y'])]));
    expect(operators(fused)).toEqual(['Transpose', 'FusedMatMul', 'Add']);
  });

  it.each([
    ['half precision', [node('Transpose', ['w'], ['t'], turn), node('MatMul', ['x', 't'], ['y'])], DataType.FLOAT16],
    ['a turned activation', [node('Transpose', ['w'], ['t'], turn), node('MatMul', ['t', 'x'], ['y'])], DataType.FLOAT],
    ['no Transpose', [node('MatMul', ['x', 'w'], ['y'])], DataType.FLOAT],
  ] as const)('leaves %s alone', (_, nodes, dataType) => {
    const model = modelOf(nodes, dataType);
    expect(operators(fuseTransposes(model))).toEqual(operators(model));
  });
});
