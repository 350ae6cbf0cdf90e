import { copyFile, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  createModel,
  DataType,
  externalInitializer,
  findLinearSites,
  inlineInitializer,
  node,
  readWeight,
  type TensorProto,
  tensorInput,
  writeOnnxModel,
} from '@quern/onnx';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../testSupport/temporaryFolder.ts';
import { openModel } from './openModel.ts';

const folder = temporaryFolder();

async function write(path: string, rows: number, weight: TensorProto): Promise<void> {
  const model = createModel({
    folder: folder.path,
    inputs: [tensorInput('x', DataType.FLOAT, ['n', rows])],
    outputs: [tensorInput('y', DataType.FLOAT, ['n', 4])],
    initializers: [weight],
    nodes: [node('MatMul', ['x', 'fc.weight'], ['y'])],
  });
  await writeOnnxModel(model, path);
}

describe('a graph of 80 MB with its weights inside', () => {
  const ROWS = 5_000_000;
  beforeAll(async () => {
    const bytes = new Uint8Array(16 * ROWS);
    new Float32Array(bytes.buffer).set([1, 2, 3, 4, 5]);
    await write(
      join(folder.path, 'large.onnx'),
      ROWS,
      inlineInitializer('fc.weight', DataType.FLOAT, [ROWS, 4], bytes),
    );
    await mkdir(join(folder.path, 'links'));
    await symlink(join(folder.path, 'large.onnx'), join(folder.path, 'links', 'large.onnx'));
  });

  it('leaves them on disk and counts the file once', async () => {
    const { model, files } = await openModel(join(folder.path, 'large.onnx'));
    expect(files).toEqual([join(folder.path, 'large.onnx')]);
    expect(model.proto.graph!.initializer[0]!.rawData.length).toBe(0);
    const weight = await readWeight(model, findLinearSites(model)[0]!);
    expect([weight.rows, weight.columns, weight.data[0], weight.data[1], weight.data[ROWS]]).toEqual([
      4,
      ROWS,
      1,
      5,
      2,
    ]);
  });

  it('reads a link to it whole', async () => {
    const { model, files } = await openModel(join(folder.path, 'links', 'large.onnx'));
    expect(files).toHaveLength(1);
    expect(model.proto.graph!.initializer[0]!.rawData.length).toBe(16 * ROWS);
  });
});

it('lists the data files of a graph', async () => {
  await writeFile(join(folder.path, 'small.data'), new Uint8Array(64));
  const weight = { name: 'fc.weight', dataType: DataType.FLOAT, dims: [4, 4], location: 'small.data' };
  await write(join(folder.path, 'small.onnx'), 4, externalInitializer({ ...weight, offset: 0, length: 64 }));
  const { files } = await openModel(join(folder.path, 'small.onnx'));
  expect(files).toEqual([join(folder.path, 'small.onnx'), join(folder.path, 'small.data')]);
});

it('reads tokens and context of a genai folder that has no config.json', async () => {
  const genai = join(folder.path, 'genai');
  await mkdir(genai);
  await write(join(genai, 'model.onnx'), 4, inlineInitializer('fc.weight', DataType.FLOAT, [4, 4], new Uint8Array(64)));
  const model = { bos_token_id: 3, eos_token_id: [4, 5], context_length: 96, decoder: {} };
  const describe = (type: string) =>
    writeFile(join(genai, 'genai_config.json'), JSON.stringify({ model: { ...model, type } }));
  await describe('gemma2');
  expect((await openModel(genai)).text?.bosEverywhere).toBe(true);
  await describe('llama');
  const { text, files } = await openModel(genai);
  expect(text).toEqual({ bosTokenId: 3, bosEverywhere: false, eosTokenIds: [4, 5], contextLength: 96 });
  expect(files).toEqual([join(genai, 'model.onnx')]);
});

describe('a published checkpoint with exports in onnx/', () => {
  const demo = join(import.meta.dirname, '..', '..', '..', '..', 'models', 'demo');
  let path = '';
  beforeAll(async () => {
    path = join(folder.path, 'published');
    await mkdir(join(path, 'onnx'), { recursive: true });
    for (const name of ['config.json', 'tokenizer.json', 'model.safetensors']) {
      await copyFile(join(demo, name), join(path, name));
    }
    const weight = inlineInitializer('fc.weight', DataType.FLOAT, [4, 4], new Uint8Array(64));
    await write(join(path, 'onnx', 'model.onnx'), 4, weight);
  });

  it('is opened as the checkpoint, of which only the files that are used count', async () => {
    await writeFile(join(path, 'consolidated.safetensors'), 'the same weights in another form');
    const { kind, files } = await openModel(path);
    expect([kind, files]).toEqual(['checkpoint', [join(path, 'model.safetensors')]]);
  });

  it('is a graph where Quern wrote it, and where the weights are not there', async () => {
    await writeFile(join(path, 'quern.json'), '{}');
    expect(await openModel(path)).toMatchObject({ kind: 'onnx', files: [join(path, 'onnx', 'model.onnx')] });
    await rm(join(path, 'quern.json'));
    await rm(join(path, 'model.safetensors'));
    expect((await openModel(path)).kind).toBe('onnx');
  });
});
