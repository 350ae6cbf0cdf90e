import { mkdir, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { createModel } from '../build/createModel.ts';
import { externalInitializer } from '../build/externalInitializer.ts';
import { inlineInitializer } from '../build/inlineInitializer.ts';
import { node } from '../build/node.ts';
import { DataType } from '../dataType.ts';
import { GraphProtoSchema, ModelProtoSchema, type TensorProto } from '../generated/onnx_pb.js';
import { scratchFolder } from '../testing/scratchFolder.ts';
import { serializeModel } from '../write/serializeModel.ts';
import { readOnnxModel } from './readOnnxModel.ts';
import { readTensor } from './readTensor.ts';

const folder = scratchFolder();
let fileCount = 0;

async function fileWith(bytes: Uint8Array): Promise<string> {
  await mkdir(join(folder.path, 'model'), { recursive: true });
  const path = join(folder.path, 'model', `model_${fileCount++}.onnx`);
  await writeFile(path, bytes);
  return path;
}

function fileWithTensor(tensor: TensorProto): Promise<string> {
  const model = createModel({ folder: '.', nodes: [], inputs: [], outputs: [], initializers: [tensor] });
  return fileWith(serializeModel(model));
}

function external(location: string, offset = 0, length = 16): TensorProto {
  return externalInitializer({ name: 'w', dataType: DataType.FLOAT, dims: [4], location, offset, length });
}

/** A length-delimited protobuf field. */
function field(number: number, content: Uint8Array): Uint8Array {
  const varint = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)]);
  const head = [...varint((number << 3) | 2), ...varint(content.length)];
  const bytes = new Uint8Array(head.length + content.length);
  bytes.set(head);
  bytes.set(content, head.length);
  return bytes;
}

describe('readOnnxModel refuses', () => {
  it.each([
    ['an empty file', new Uint8Array(0), 'is empty'],
    ['zeros', new Uint8Array(100), 'cannot be decoded'],
    ['text', new TextEncoder().encode('version https://git-lfs.github.com/spec/v1\noid sha256:0\n'), 'valid ONNX'],
    ['a field that claims more bytes than the file has', Uint8Array.of(0x3a, 0xff, 0xff, 0xff, 0xff, 0x07), 'decoded'],
    ['a model without a graph', toBinary(ModelProtoSchema, create(ModelProtoSchema, { irVersion: 8n })), 'no graph'],
    [
      'a model without a version',
      toBinary(ModelProtoSchema, create(ModelProtoSchema, { graph: create(GraphProtoSchema) })),
      'IR version 0',
    ],
    [
      'a node without an operator',
      serializeModel(createModel({ folder: '.', nodes: [node('', [], [])], inputs: [], outputs: [] })),
      'without an operator',
    ],
  ])('%s', async (_, bytes, message) => {
    const reading = readOnnxModel(await fileWith(bytes));
    await expect(reading).rejects.toMatchObject({ code: 'INVALID_ONNX', message: expect.stringContaining(message) });
  });

  it('random bytes and truncated files, with no other error', async () => {
    const whole = serializeModel(
      createModel({
        folder: '.',
        inputs: [],
        outputs: [],
        initializers: [inlineInitializer('w', DataType.UINT8, [200], new Uint8Array(200))],
        nodes: [node('Cast', ['w'], ['y'], { attributes: { to: { int: 1 } } })],
      }),
    );
    let state = 7;
    for (let trial = 0; trial < 60; trial++) {
      const bytes = whole.slice(0, trial < 30 ? 1 + Math.floor((whole.length * trial) / 31) : whole.length);
      if (trial >= 30) {
        for (let change = 0; change < 40; change++) {
          state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
          bytes[state % bytes.length] = state >>> 24;
        }
      }
      const path = await fileWith(bytes);
      const error: unknown = await readOnnxModel(path).then(
        () => null,
        failure => failure,
      );
      // A change may hit a name or a weight and leave a valid file.
      if (error !== null) expect(error).toHaveProperty('code', expect.stringMatching(/^INVALID_/));
      else expect(trial).toBeGreaterThanOrEqual(30);
    }
  });

  it('sub-graphs nested thousands deep, without running out of stack', async () => {
    let graph: Uint8Array = field(2, new TextEncoder().encode('innermost'));
    for (let level = 0; level < 5000; level++) {
      const attribute = field(5, field(6, graph));
      graph = field(1, attribute);
    }
    const bytes = new Uint8Array([8, 8, ...field(7, graph)]);
    const reading = readOnnxModel(await fileWith(bytes));
    await expect(reading).rejects.toMatchObject({ code: 'INVALID_ONNX', message: expect.stringContaining('nests') });
  });

  it('paths without a file', async () => {
    await expect(readOnnxModel(join(folder.path, 'absent.onnx'))).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
    await expect(readOnnxModel(folder.path)).rejects.toMatchObject({ code: 'INVALID_ONNX' });
  });

  it('a header beyond 2 GiB, before reading it', async () => {
    const path = await fileWith(new Uint8Array(1));
    // Sparse: takes no space.
    await truncate(path, 3 * 2 ** 30);
    const reading = readOnnxModel(path);
    await expect(reading).rejects.toMatchObject({
      code: 'INVALID_ONNX',
      message: expect.stringContaining('3221225472'),
    });
  });

  it.each([
    ['a negative size', [-1], new Uint8Array(4), 'negative size -1'],
    ['2 GB claimed by 4 bytes', [2 ** 29], new Uint8Array(4), 'holds 4 bytes'],
    ['fewer elements than bytes', [1], new Uint8Array(8), 'takes 4'],
    ['a product beyond 2^53', [2 ** 31, 2 ** 31, 4], new Uint8Array(4), 'claims'],
    ['no bytes at all', [3], new Uint8Array(0), 'holds 0 values'],
  ])('a tensor with %s', async (_, dims, bytes, message) => {
    const reading = readOnnxModel(await fileWithTensor(inlineInitializer('w', DataType.FLOAT, dims, bytes)));
    await expect(reading).rejects.toMatchObject({ code: 'INVALID_ONNX', message: expect.stringContaining(message) });
  });

  it('tensors in node attributes and sub-graphs too', async () => {
    const bad = inlineInitializer('w', DataType.FLOAT, [3], new Uint8Array(4));
    const branch = create(GraphProtoSchema, { initializer: [bad] });
    for (const inner of [
      node('Constant', [], ['y'], { attributes: { value: { tensor: bad } } }),
      node('If', ['c'], ['y'], { attributes: { then_branch: { graph: branch } } }),
    ]) {
      const model = createModel({ folder: '.', nodes: [inner], inputs: [], outputs: [] });
      await expect(readOnnxModel(await fileWith(serializeModel(model)))).rejects.toMatchObject({
        code: 'INVALID_ONNX',
      });
    }
  });
});

describe('external data', () => {
  it.each([
    ['above the folder', external('../outside.bin'), 'leaves'],
    ['above the folder, in between', external('sub/../../outside.bin'), 'leaves'],
    ['absolute', external('/etc/hostname'), 'absolute'],
    ['absolute on Windows', external('C:\\weights.bin'), 'absolute'],
    ['a memory address', external('*/_ORT_MEM_ADDR_/*', 4096), 'cannot be opened'],
    ['empty', external(''), 'names no file'],
    ['with a NUL', external('inside.bin\0.txt'), 'names no file'],
    ['the folder itself', external('.'), 'leaves'],
    ['a folder', external('sub'), 'not a plain file'],
    ['absent', external('absent.bin'), 'ENOENT'],
    ['a link out of the folder', external('link.bin'), 'link that leaves'],
    ['in a linked folder', external('linked/outside.bin'), 'link that leaves'],
    ['past the end', external('inside.bin', 8), 'ends at byte 24, the file has 16'],
    ['2 GB in 16 bytes', { ...external('inside.bin', 0, 2 ** 31), dims: [2n ** 29n] }, 'the file has 16'],
    ['of another length than the shape', external('inside.bin', 0, 12), 'gives 12 bytes'],
    ['at a negative offset', external('inside.bin', -16), 'offset "-16"'],
    ['at a fraction', external('inside.bin', 0.5), 'offset "0.5"'],
    ['at a huge offset', external('inside.bin', 2 ** 60), 'no whole number'],
  ])('%s is refused', async (_, tensor, message) => {
    await mkdir(join(folder.path, 'model', 'sub'), { recursive: true });
    await writeFile(join(folder.path, 'outside.bin'), new Uint8Array(16));
    await writeFile(join(folder.path, 'model', 'inside.bin'), new Uint8Array(16));
    await symlink('../outside.bin', join(folder.path, 'model', 'link.bin')).catch(() => undefined);
    await symlink('..', join(folder.path, 'model', 'linked')).catch(() => undefined);
    const expected = { code: 'INVALID_EXTERNAL_DATA', message: expect.stringContaining(message) };
    await expect(readOnnxModel(await fileWithTensor(tensor))).rejects.toMatchObject(expected);
    const model = createModel({ folder: join(folder.path, 'model'), nodes: [], inputs: [], outputs: [] });
    await expect(readTensor(model, tensor)).rejects.toMatchObject(expected);
  });

  it('is accepted inside the folder, through a link that stays there, and in a sub-folder', async () => {
    await mkdir(join(folder.path, 'model', 'sub'), { recursive: true });
    await writeFile(
      join(folder.path, 'model', 'sub', 'deep.bin'),
      new Uint8Array(new Float32Array([1, 2, 3, 4]).buffer),
    );
    await symlink('sub/deep.bin', join(folder.path, 'model', 'near.bin')).catch(() => undefined);
    for (const location of ['sub/deep.bin', 'near.bin', './sub/../sub/deep.bin']) {
      const model = await readOnnxModel(await fileWithTensor(external(location)));
      const { bytes } = await readTensor(model, model.proto.graph!.initializer[0]!);
      expect([...new Float32Array(bytes.buffer)]).toEqual([1, 2, 3, 4]);
    }
  });
});
