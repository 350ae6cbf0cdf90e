import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { attributeOf, intOf } from '../attributeValue.ts';
import { createModel } from '../build/createModel.ts';
import { floatInitializer, inlineInitializer } from '../build/inlineInitializer.ts';
import { node } from '../build/node.ts';
import { tensorInput } from '../build/tensorInput.ts';
import { DataType } from '../dataType.ts';
import { GraphProtoSchema } from '../generated/onnx_pb.js';
import { readOnnxModel } from '../read/readOnnxModel.ts';
import { scratchFolder } from '../testing/scratchFolder.ts';
import { cloneModel } from './cloneModel.ts';
import { serializeModel } from './serializeModel.ts';
import { withAccuracyLevel } from './withAccuracyLevel.ts';
import { writeOnnxModel } from './writeOnnxModel.ts';

const folder = scratchFolder();

function sampleModel() {
  const product = (attributes: Record<string, { int: number }>) =>
    node('MatMulNBits', ['x', 'codes', 'scales'], ['y'], { domain: 'com.microsoft', attributes });
  return createModel({
    folder: folder.path,
    inputs: [tensorInput('x', DataType.FLOAT, [1, 32])],
    outputs: [tensorInput('y', DataType.FLOAT, [1, 1])],
    initializers: [floatInitializer('scales', [1], [1, 1])],
    nodes: [
      product({ K: { int: 32 }, accuracy_level: { int: 4 }, bits: { int: 4 } }),
      node('If', ['flag'], ['z'], {
        attributes: { then_branch: { graph: create(GraphProtoSchema, { node: [product({ K: { int: 32 } })] }) } },
      }),
    ],
  });
}

describe('withAccuracyLevel', () => {
  it('sets every MatMulNBits, in sub-graphs too, of a copy', () => {
    const model = sampleModel();
    const before = serializeModel(model);
    const exact = withAccuracyLevel(model, 0);
    const [outer, branch] = exact.proto.graph!.node;
    expect(outer!.attribute.filter(({ name }) => name === 'accuracy_level')).toHaveLength(1);
    expect(intOf(outer!, 'accuracy_level', -1)).toBe(0);
    expect(intOf(outer!, 'bits', -1)).toBe(4);
    const inner = attributeOf(branch!, 'then_branch')!.g!.node[0]!;
    expect(intOf(inner, 'accuracy_level', -1)).toBe(0);
    expect(serializeModel(model)).toEqual(before);
    expect(exact.proto.graph!.initializer[0]!.rawData).toBe(model.proto.graph!.initializer[0]!.rawData);
  });
});

describe('cloneModel', () => {
  it('copies every field and shares only bytes', () => {
    const model = sampleModel();
    model.proto.graph!.$unknown = [{ no: 999, wireType: 0, data: Uint8Array.of(5) }];
    const copy = cloneModel(model);
    expect(serializeModel(copy)).toEqual(serializeModel(model));
    copy.proto.graph!.node[0]!.name = 'changed';
    copy.proto.graph!.node[0]!.input[0] = 'changed';
    expect(model.proto.graph!.node[0]!.name).toBe('');
    expect(model.proto.graph!.node[0]!.input[0]).toBe('x');
  });
});

describe('writeOnnxModel', () => {
  it('writes what readOnnxModel reads and leaves no temporary file', async () => {
    const model = sampleModel();
    const path = join(folder.path, 'written.onnx');
    const bytes = await writeOnnxModel(model, path);
    const read = await readOnnxModel(path);
    expect(serializeModel(read)).toEqual(serializeModel(model));
    expect(bytes).toBe(serializeModel(model).length);
    expect(await readdir(folder.path)).toEqual(['written.onnx']);
  });

  it('refuses a header beyond 2 GiB before it is built, and reports a path that cannot be written', async () => {
    const model = sampleModel();
    // Never touched, so the machine gives it no memory.
    const huge = new Uint8Array(2 ** 30);
    const parts = [0, 1].map(part => inlineInitializer(`huge${part}`, DataType.UINT8, [2 ** 30], huge));
    model.proto.graph!.initializer.push(...parts);
    const tooLarge = writeOnnxModel(model, join(folder.path, 'huge.onnx'));
    await expect(tooLarge).rejects.toMatchObject({ code: 'UNSUPPORTED_MODEL' });
    await writeFile(join(folder.path, 'file'), '');
    const nowhere = writeOnnxModel(sampleModel(), join(folder.path, 'file', 'model.onnx'));
    await expect(nowhere).rejects.toMatchObject({ code: 'WRITE_FAILED' });
  });
});
