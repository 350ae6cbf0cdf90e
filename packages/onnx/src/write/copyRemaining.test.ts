import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { createModel } from '../build/createModel.ts';
import { externalInitializer } from '../build/externalInitializer.ts';
import { float16Initializer, floatInitializer, inlineInitializer } from '../build/inlineInitializer.ts';
import { node } from '../build/node.ts';
import { tensorInput } from '../build/tensorInput.ts';
import { DataType } from '../dataType.ts';
import { GraphProtoSchema, TensorProtoSchema } from '../generated/onnx_pb.js';
import type { OnnxModel } from '../onnxModel.ts';
import { readFloats } from '../read/readFloats.ts';
import { readOnnxModel } from '../read/readOnnxModel.ts';
import { findLinearSites } from '../sites/findLinearSites.ts';
import { runModel } from '../testing/runModel.ts';
import { randomFloats, randomQuantized, seededRandom } from '../testing/sampleWeights.ts';
import { scratchFolder } from '../testing/scratchFolder.ts';
import { floatTensor, valuesOf } from '../testing/tensors.ts';
import { cloneModel } from './cloneModel.ts';
import { copyRemaining } from './copyRemaining.ts';
import { replaceSite } from './replaceSite.ts';
import { createWeightStore } from './weightStore.ts';
import { writeOnnxModel } from './writeOnnxModel.ts';

const folder = scratchFolder();
const SIZE = 40;

/** External bfloat16 and float16 behind Casts, a large Constant, a typed-field tensor, a sub-graph with its own weight. */
async function mixedModel(): Promise<OnnxModel> {
  const random = seededRandom(11);
  const bits = new Uint16Array(new Uint32Array(randomFloats(SIZE * SIZE, random).buffer).map(word => word >>> 16));
  await writeFile(join(folder.path, 'source.bin'), new Uint8Array(bits.buffer));
  const floats = (name: string, dims: number[]) =>
    floatInitializer(
      name,
      randomFloats(
        dims.reduce((product, size) => product * size, 1),
        random,
      ),
      dims,
    );
  const toFloat = { attributes: { to: { int: DataType.FLOAT } } };
  const branch = (name: string) =>
    create(GraphProtoSchema, {
      name,
      initializer: [floats(`${name}_w`, [SIZE, SIZE])],
      node: [node('MatMul', ['h3', `${name}_w`], [`${name}_y`])],
      output: [tensorInput(`${name}_y`, DataType.FLOAT, ['tokens', SIZE])],
    });
  return createModel({
    folder: folder.path,
    opsets: { '': 17 },
    inputs: [tensorInput('x', DataType.FLOAT, ['tokens', SIZE])],
    outputs: [tensorInput('y', DataType.FLOAT, ['tokens', SIZE]), tensorInput('half', DataType.FLOAT, [SIZE])],
    initializers: [
      externalInitializer({
        name: 'bf16',
        dataType: DataType.BFLOAT16,
        dims: [SIZE, SIZE],
        location: 'source.bin',
        offset: 0,
        length: SIZE * SIZE * 2,
      }),
      float16Initializer('half_bias', randomFloats(SIZE, random)),
      create(TensorProtoSchema, {
        name: 'typed',
        dataType: DataType.FLOAT,
        dims: [BigInt(SIZE)],
        floatData: [...randomFloats(SIZE, random)],
        docString: 'kept',
      }),
      inlineInitializer('flag', DataType.BOOL, [], Uint8Array.of(1)),
    ],
    nodes: [
      node('Cast', ['bf16'], ['w'], toFloat),
      node('Cast', ['half_bias'], ['bias'], toFloat),
      node('Cast', ['half_bias'], ['half'], toFloat),
      node('Constant', [], ['constant'], { attributes: { value: { tensor: floats('', [SIZE, SIZE]) } } }),
      node('Gemm', ['x', 'w', 'bias'], ['h1']),
      node('Add', ['h1', 'typed'], ['h2']),
      node('MatMul', ['h2', 'constant'], ['h3']),
      node('If', ['flag'], ['y'], {
        attributes: { then_branch: { graph: branch('then') }, else_branch: { graph: branch('else') } },
      }),
    ],
  });
}

describe('copyRemaining', () => {
  for (const fold of [false, true]) {
    it(`moves every tensor and changes no result (fold: ${fold})`, async () => {
      const source = await mixedModel();
      const x = floatTensor(randomFloats(3 * SIZE, seededRandom(1)), [3, SIZE]);
      const before = await runModel(source, { x });
      const target = join(folder.path, `moved_${fold}`);
      const model = cloneModel(source);
      const store = createWeightStore({ folder: target, fileName: 'model.onnx_data' });
      await copyRemaining(model, store, { fold });
      await store.close();
      await writeOnnxModel({ proto: model.proto, folder: target }, join(target, 'model.onnx'));
      const read = await readOnnxModel(join(target, 'model.onnx'));
      const after = await runModel(read, { x });
      expect(valuesOf(after.y)).toEqual(valuesOf(before.y));
      expect(valuesOf(after.half)).toEqual(valuesOf(before.half));
      expect((await stat(join(target, 'model.onnx'))).size).toBeLessThan(5000);
      const operators = read.proto.graph!.node.map(({ opType }) => opType);
      // A Cast that gives a graph output stays.
      expect(operators.filter(operator => operator === 'Cast')).toHaveLength(fold ? 1 : 3);
      expect(operators).not.toContain('Constant');
      const names = read.proto.graph!.initializer.map(({ name }) => name).sort();
      expect(names).toEqual(
        fold
          ? ['bias', 'constant', 'flag', 'half_bias', 'typed', 'w']
          : ['bf16', 'constant', 'flag', 'half_bias', 'typed'],
      );
      const typed = read.proto.graph!.initializer.find(({ name }) => name === 'typed')!;
      expect(typed.docString).toBe('kept');
      expect(typed.floatData).toEqual([]);
      // The original is untouched.
      expect(valuesOf((await runModel(source, { x })).y)).toEqual(valuesOf(before.y));
    });
  }

  it('leaves alone what the store holds: scales stay float16 behind their Cast', async () => {
    const source = await mixedModel();
    const store = createWeightStore({ folder: join(folder.path, 'mixed'), fileName: 'model.onnx_data' });
    const site = findLinearSites(source).find(({ weightName }) => weightName === 'bf16')!;
    const shape = { outFeatures: SIZE, inFeatures: SIZE, bits: 4, groupSize: 32, scaleType: 'float16' } as const;
    const compressed = randomQuantized(shape, true, seededRandom(2));
    await replaceSite(source, { site, compressed, accuracyLevel: 0, activationType: 'float32' }, store);
    await copyRemaining(source, store, { fold: true });
    await store.close();
    const scales = source.proto.graph!.initializer.find(({ name }) => name === 'bf16_scales')!;
    expect(scales.dataType).toBe(DataType.FLOAT16);
    expect(source.proto.graph!.node.filter(({ opType }) => opType === 'Cast').map(({ input }) => input[0])).toEqual([
      'half_bias',
      'bf16_scales',
    ]);
    const moved = { proto: source.proto, folder: join(folder.path, 'mixed') };
    const stored = source.proto.graph!.initializer.find(({ name }) => name === 'constant')!;
    expect((await readFloats(moved, stored)).length).toBe(SIZE * SIZE);
    expect(await readdir(moved.folder)).toEqual(['model.onnx_data']);
  });

  it('casts large external tensors slab by slab', async () => {
    const count = 5 * 2 ** 20 + 3;
    const halves = Uint16Array.from({ length: count }, (_, index) => (index * 2654435761) & 0x7bff);
    await writeFile(join(folder.path, 'large.bin'), new Uint8Array(halves.buffer));
    const model = createModel({
      folder: folder.path,
      inputs: [],
      outputs: [tensorInput('y', DataType.FLOAT, [count])],
      initializers: [
        externalInitializer({
          name: 'large',
          dataType: DataType.FLOAT16,
          dims: [count],
          location: 'large.bin',
          offset: 0,
          length: 2 * count,
        }),
      ],
      nodes: [
        node('Cast', ['large'], ['cast'], { attributes: { to: { int: DataType.FLOAT } } }),
        node('Neg', ['cast'], ['y']),
      ],
    });
    const target = join(folder.path, 'cast');
    const store = createWeightStore({ folder: target, fileName: 'data' });
    await copyRemaining(model, store, { fold: true });
    await store.close();
    const cast = await readFloats({ proto: model.proto, folder: target }, model.proto.graph!.initializer[0]!);
    const expected = new Float16Array(halves.buffer);
    expect(cast.length).toBe(count);
    expect(cast.every((value, index) => value === expected[index])).toBe(true);
  });
});
