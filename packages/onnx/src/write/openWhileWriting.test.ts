import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createModel } from '../build/createModel.ts';
import { externalInitializer } from '../build/externalInitializer.ts';
import { node } from '../build/node.ts';
import { tensorInput } from '../build/tensorInput.ts';
import { DataType } from '../dataType.ts';
import { renameExternalData } from '../edit/renameExternalData.ts';
import { runModel } from '../testing/runModel.ts';
import { scratchFolder } from '../testing/scratchFolder.ts';
import { floatTensor, valuesOf } from '../testing/tensors.ts';
import { openWhileWriting } from './openWhileWriting.ts';
import { serializeModel } from './serializeModel.ts';
import { createWeightStore } from './weightStore.ts';

const folder = scratchFolder();
const SIZE = 400;

async function halfStored() {
  const source = Float32Array.from({ length: SIZE }, (_, index) => index);
  await writeFile(join(folder.path, 'source.bin'), new Uint8Array(source.buffer));
  const store = createWeightStore({ folder: join(folder.path, 'out'), fileName: 'data' });
  const tens = new Uint8Array(new Float32Array(SIZE).fill(10).buffer);
  const place = { dataType: DataType.FLOAT, dims: [SIZE], location: 'source.bin', offset: 0, length: 4 * SIZE };
  const model = createModel({
    folder: folder.path,
    inputs: [tensorInput('x', DataType.FLOAT, [SIZE])],
    outputs: [tensorInput('y', DataType.FLOAT, [SIZE])],
    initializers: [
      await store.add('tens', DataType.FLOAT, [SIZE], tens),
      externalInitializer({ name: 'count', ...place }),
    ],
    nodes: [node('Mul', ['x', 'tens'], ['a']), node('Add', ['a', 'count'], ['y'])],
  });
  return { model, store };
}

describe('openWhileWriting', () => {
  it('runs a model whose tensors lie in the source and in a store that is not closed', async () => {
    const { model, store } = await halfStored();
    const before = serializeModel(model);
    const opened = await openWhileWriting(model, store);
    const { y } = await runModel(opened, { x: floatTensor(new Float32Array(SIZE).fill(2), [SIZE]) });
    expect(valuesOf(y)).toEqual(Array.from({ length: SIZE }, (_, index) => 20 + index));
    expect(serializeModel(model)).toEqual(before);
    await store.abort();
  });
});

describe('renameExternalData', () => {
  it('renames each file once, in the order of first use', async () => {
    const { model, store } = await halfStored();
    const renamed = renameExternalData(model, index => `model.onnx_data${index}`);
    expect(renamed).toEqual([
      { from: 'data', to: 'model.onnx_data0' },
      { from: 'source.bin', to: 'model.onnx_data1' },
    ]);
    expect(renameExternalData(model, () => 'same').map(({ from }) => from)).toEqual([
      'model.onnx_data0',
      'model.onnx_data1',
    ]);
    await store.abort();
  });
});
