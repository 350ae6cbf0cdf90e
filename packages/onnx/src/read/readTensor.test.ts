import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { createModel } from '../build/createModel.ts';
import { externalInitializer } from '../build/externalInitializer.ts';
import { inlineInitializer } from '../build/inlineInitializer.ts';
import { DataType } from '../dataType.ts';
import { type TensorProto, TensorProtoSchema } from '../generated/onnx_pb.js';
import { scratchFolder } from '../testing/scratchFolder.ts';
import { encodeFloats } from '../write/encodeFloats.ts';
import { readFloats } from './readFloats.ts';
import { readTensor, streamTensor } from './readTensor.ts';

const folder = scratchFolder();
const model = () => createModel({ folder: folder.path, nodes: [], inputs: [], outputs: [] });

function typed(dataType: number, dims: number[], fields: Partial<TensorProto>): TensorProto {
  return create(TensorProtoSchema, { name: 't', dataType, dims: dims.map(BigInt), ...fields } as object);
}

describe('readTensor', () => {
  it('turns typed fields into raw bytes', async () => {
    const cases: [TensorProto, number[]][] = [
      [typed(DataType.FLOAT, [2], { floatData: [1, -2] }), [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]],
      [typed(DataType.FLOAT16, [2], { int32Data: [0x3c00, 0xc000] }), [0, 0x3c, 0, 0xc0]],
      [typed(DataType.INT8, [3], { int32Data: [-1, 127, 0] }), [255, 127, 0]],
      [typed(DataType.BOOL, [2], { int32Data: [1, 0] }), [1, 0]],
      [typed(DataType.UINT4, [3], { int32Data: [0x21, 0x03] }), [0x21, 0x03]],
      [typed(DataType.INT32, [1], { int32Data: [-2] }), [254, 255, 255, 255]],
      [typed(DataType.INT64, [1], { int64Data: [-2n] }), [254, 255, 255, 255, 255, 255, 255, 255]],
      [typed(DataType.UINT32, [1], { uint64Data: [4294967295n] }), [255, 255, 255, 255]],
      [typed(DataType.UINT64, [1], { uint64Data: [258n] }), [2, 1, 0, 0, 0, 0, 0, 0]],
      [typed(DataType.DOUBLE, [1], { doubleData: [1] }), [0, 0, 0, 0, 0, 0, 0xf0, 0x3f]],
      [typed(DataType.COMPLEX64, [1], { floatData: [0, 1] }), [0, 0, 0, 0, 0, 0, 0x80, 0x3f]],
      [typed(DataType.FLOAT, [0, 3], {}), []],
    ];
    for (const [tensor, expected] of cases) {
      const { bytes, dims } = await readTensor(model(), tensor);
      expect([...bytes], `type ${tensor.dataType}`).toEqual(expected);
      expect(dims).toEqual(tensor.dims.map(Number));
    }
  });

  it('gives bytes of their own, so that a caller cannot change the model', async () => {
    const tensor = inlineInitializer('t', DataType.UINT8, [2], Uint8Array.of(1, 2));
    const { bytes } = await readTensor(model(), tensor);
    bytes[0] = 9;
    expect([...tensor.rawData]).toEqual([1, 2]);
  });

  it('reads external data at any offset, whole and in slabs', async () => {
    const length = 20 * 2 ** 20 + 5;
    const bytes = Uint8Array.from({ length: length + 3 }, (_, index) => (index * 31) ^ (index >> 16));
    await writeFile(join(folder.path, 'slabs.bin'), bytes);
    const place = { name: 't', dataType: DataType.UINT8, dims: [length], location: 'slabs.bin', offset: 3, length };
    const tensor = externalInitializer(place);
    const read = await readTensor(model(), tensor);
    expect(Buffer.compare(read.bytes, bytes.subarray(3))).toBe(0);
    const sizes: number[] = [];
    let position = 3;
    for await (const slab of streamTensor(model(), tensor)) {
      sizes.push(slab.length);
      expect(Buffer.compare(slab, bytes.subarray(position, position + slab.length))).toBe(0);
      position += slab.length;
    }
    expect(sizes).toEqual([8 * 2 ** 20, 8 * 2 ** 20, 4 * 2 ** 20 + 5]);
  });

  it('takes length and offset from the shape and zero where they are absent', async () => {
    await writeFile(join(folder.path, 'short.bin'), Uint8Array.of(1, 2, 3, 4));
    const tensor = externalInitializer({
      name: 't',
      dataType: DataType.UINT8,
      dims: [3],
      location: 'short.bin',
      offset: 0,
      length: 3,
    });
    tensor.externalData = tensor.externalData.filter(({ key }) => key === 'location');
    expect([...(await readTensor(model(), tensor)).bytes]).toEqual([1, 2, 3]);
  });

  it('refuses strings', async () => {
    const strings = typed(DataType.STRING, [1], { stringData: [Uint8Array.of(65)] });
    await expect(readTensor(model(), strings)).rejects.toMatchObject({ code: 'UNSUPPORTED_MODEL' });
  });
});

describe('readFloats', () => {
  it('decodes every float type', async () => {
    const cases: [number, ArrayBuffer][] = [
      [DataType.FLOAT, Float32Array.of(1, -0.5, 3e38, 2 ** -149).buffer],
      [DataType.DOUBLE, Float64Array.of(1, -0.5, 3e38, 2 ** -149).buffer],
      [DataType.BFLOAT16, Uint16Array.of(0x3f80, 0xbf00, 0x7f62, 0x0001).buffer],
      [DataType.FLOAT16, Uint16Array.of(0x3c00, 0xb800, 0x7bff, 0x0001).buffer],
    ];
    const expected = new Map<number, number[]>([
      [DataType.FLOAT, [1, -0.5, Math.fround(3e38), 2 ** -149]],
      [DataType.DOUBLE, [1, -0.5, Math.fround(3e38), 2 ** -149]],
      [DataType.BFLOAT16, [1, -0.5, (1 + 0x62 / 128) * 2 ** 127, 2 ** -133]],
      [DataType.FLOAT16, [1, -0.5, 65504, 2 ** -24]],
    ]);
    for (const [dataType, buffer] of cases) {
      const tensor = inlineInitializer('t', dataType, [4], new Uint8Array(buffer));
      expect([...(await readFloats(model(), tensor))], `type ${dataType}`).toEqual(expected.get(dataType));
    }
  });

  it('reads float32 at an odd place in the header', async () => {
    const file = new Uint8Array(13);
    file.set(new Uint8Array(Float32Array.of(1.5, -2, 8).buffer), 1);
    const tensor = inlineInitializer('t', DataType.FLOAT, [3], file.subarray(1));
    expect([...(await readFloats(model(), tensor))]).toEqual([1.5, -2, 8]);
  });

  it('refuses integers', async () => {
    const tensor = inlineInitializer('t', DataType.INT8, [1], Uint8Array.of(1));
    await expect(readFloats(model(), tensor)).rejects.toMatchObject({ code: 'UNSUPPORTED_MODEL' });
  });
});

describe('encodeFloats', () => {
  it('rounds to bfloat16 to nearest, ties to even, and keeps NaN and infinity', () => {
    const words = [0x3f808000, 0x3f818000, 0x3f808001, 0x3f807fff, 0x7f7fffff, 0x7f800000, 0xff800000, 0x7f800001];
    const values = new Float32Array(Uint32Array.from(words).buffer);
    const halves = new Uint16Array(encodeFloats(values, DataType.BFLOAT16).buffer);
    expect([...halves]).toEqual([0x3f80, 0x3f82, 0x3f81, 0x3f80, 0x7f80, 0x7f80, 0xff80, 0x7fc0]);
  });

  it('rounds to float16 and widens to float64', () => {
    const halves = encodeFloats(Float32Array.of(1, 65504, 65520, 2 ** -25, -3), DataType.FLOAT16);
    expect([...new Uint16Array(halves.buffer)]).toEqual([0x3c00, 0x7bff, 0x7c00, 0, 0xc200]);
    expect([...new Float64Array(encodeFloats(Float32Array.of(0.5, -3), DataType.DOUBLE).buffer)]).toEqual([0.5, -3]);
  });
});
