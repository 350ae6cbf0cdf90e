import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { onnx } from 'onnx-proto';
import { describe, expect, it } from 'vitest';
import { createModel } from '../build/createModel.ts';
import { externalInitializer } from '../build/externalInitializer.ts';
import { floatInitializer, int64Initializer } from '../build/inlineInitializer.ts';
import { node } from '../build/node.ts';
import { tensorInput } from '../build/tensorInput.ts';
import { DataType } from '../dataType.ts';
import {
  DeviceConfigurationProtoSchema,
  FunctionProtoSchema,
  GraphProtoSchema,
  NodeDeviceConfigurationProtoSchema,
  ShardedDimProtoSchema,
  ShardingSpecProtoSchema,
  SimpleShardedDimProtoSchema,
  StringStringEntryProtoSchema,
} from '../generated/onnx_pb.js';
import { readOnnxModel } from '../read/readOnnxModel.ts';
import { scratchFolder } from '../testing/scratchFolder.ts';
import { cloneModel } from './cloneModel.ts';
import { serializeModel } from './serializeModel.ts';

const folder = scratchFolder();

/** Unknown fields of every wire type, numbered above those in use. */
const UNKNOWN = [
  { no: 3000, wireType: 0, data: Uint8Array.of(0x96, 0x01) },
  { no: 3001, wireType: 1, data: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) },
  { no: 3002, wireType: 2, data: Uint8Array.of(3, 97, 98, 99) },
  { no: 3003, wireType: 5, data: Uint8Array.of(9, 8, 7, 6) },
];

describe('serializeModel', () => {
  it('writes what an independent reader reads', () => {
    const model = createModel({
      folder: '.',
      producerVersion: '1.2',
      metadata: { key: 'value' },
      inputs: [tensorInput('x', DataType.FLOAT, ['batch_size', 3])],
      outputs: [tensorInput('y', DataType.FLOAT, ['batch_size', 2])],
      initializers: [
        floatInitializer('w', [1, 2, 3, 4, 5, 6], [3, 2]),
        externalInitializer({
          name: 'e',
          dataType: DataType.BFLOAT16,
          dims: [2, 2],
          location: 'f',
          offset: 64,
          length: 8,
        }),
        int64Initializer('axes', [-1]),
      ],
      nodes: [
        node('Gemm', ['x', 'w'], ['y'], {
          name: 'gemm',
          domain: 'ai.onnx',
          attributes: { alpha: { float: 0.5 }, transB: { int: 0 }, ints: { ints: [1, -2] }, s: { string: 'ü' } },
        }),
      ],
    });
    const read = onnx.ModelProto.toObject(onnx.ModelProto.decode(serializeModel(model)), { longs: Number });
    expect(read).toMatchObject({
      irVersion: 10,
      producerName: 'quern',
      producerVersion: '1.2',
      opsetImport: [
        { domain: '', version: 21 },
        { domain: 'com.microsoft', version: 1 },
      ],
      metadataProps: [{ key: 'key', value: 'value' }],
      graph: {
        name: 'main_graph',
        input: [
          {
            name: 'x',
            type: { tensorType: { elemType: 1, shape: { dim: [{ dimParam: 'batch_size' }, { dimValue: 3 }] } } },
          },
        ],
        initializer: [
          { name: 'w', dims: [3, 2], dataType: 1 },
          {
            name: 'e',
            dims: [2, 2],
            dataType: 16,
            dataLocation: 1,
            externalData: [
              { key: 'location', value: 'f' },
              { key: 'offset', value: '64' },
              { key: 'length', value: '8' },
            ],
          },
          { name: 'axes', dims: [1], dataType: 7 },
        ],
        node: [
          {
            opType: 'Gemm',
            name: 'gemm',
            input: ['x', 'w'],
            output: ['y'],
            attribute: [
              { name: 'alpha', type: 1, f: 0.5 },
              { name: 'transB', type: 2, i: 0 },
              { name: 'ints', type: 7, ints: [1, -2] },
              { name: 's', type: 3 },
            ],
          },
        ],
      },
    });
    const graph = read.graph as { initializer: { rawData: Uint8Array }[]; node: { attribute: { s: Uint8Array }[] }[] };
    expect([...new Float32Array(graph.initializer[0]!.rawData.slice().buffer)]).toEqual([1, 2, 3, 4, 5, 6]);
    expect(new TextDecoder().decode(graph.node[0]!.attribute[3]!.s)).toBe('ü');
  });

  it('keeps the fields of the newest format and fields that it does not know', async () => {
    const entry = create(StringStringEntryProtoSchema, { key: 'k', value: 'v' });
    const product = node('MatMul', ['x', 'w'], ['y']);
    product.overload = 'variant';
    product.metadataProps.push(entry);
    const shard = create(SimpleShardedDimProtoSchema, { dim: { case: 'dimParam', value: 'n' }, numShards: 2n });
    product.deviceConfigurations.push(
      create(NodeDeviceConfigurationProtoSchema, {
        configurationId: 'two',
        pipelineStage: 1,
        shardingSpec: [
          create(ShardingSpecProtoSchema, {
            tensorName: 'w',
            device: [0n, -1n],
            shardedDim: [create(ShardedDimProtoSchema, { axis: -1n, simpleSharding: [shard] })],
          }),
        ],
      }),
    );
    const inner = node('Relu', ['a'], ['b']);
    const branch = create(GraphProtoSchema, { node: [inner], metadataProps: [entry] });
    const model = createModel({
      folder: '.',
      inputs: [tensorInput('x', DataType.FLOAT, [1, 3])],
      outputs: [tensorInput('y', DataType.FLOAT, [1, 2])],
      initializers: [floatInitializer('w', [1, 2, 3, 4, 5, 6], [3, 2])],
      nodes: [product, node('If', ['c'], ['z'], { attributes: { then_branch: { graph: branch } } })],
    });
    const { proto } = model;
    proto.configuration.push(
      create(DeviceConfigurationProtoSchema, { name: 'two', numDevices: 2, device: ['a', 'b'] }),
    );
    proto.functions.push(
      create(FunctionProtoSchema, { name: 'f', overload: 'o', node: [inner], metadataProps: [entry] }),
    );
    const graph = proto.graph!;
    graph.initializer[0]!.metadataProps.push(entry);
    const carriers = [
      proto,
      graph,
      product,
      graph.initializer[0]!,
      graph.input[0]!,
      branch,
      inner,
      proto.functions[0]!,
    ];
    for (const carrier of carriers) carrier.$unknown = UNKNOWN;
    const bytes = serializeModel(model);
    const path = join(folder.path, 'newest.onnx');
    await writeFile(path, bytes);
    const read = await readOnnxModel(path);
    expect(read.proto.graph!.node[0]!.deviceConfigurations[0]!.shardingSpec[0]!.device).toEqual([0n, -1n]);
    expect(read.proto.graph!.node[0]!.$unknown).toEqual(UNKNOWN);
    expect(serializeModel(read)).toEqual(bytes);
    expect(serializeModel(cloneModel(read))).toEqual(bytes);
    // The values that the field numbers of the format give: graph metadata 16, node overload 8.
    const text = Buffer.from(toBinary(GraphProtoSchema, branch)).toString('hex');
    expect(text).toContain(Buffer.from([0x82, 0x01, 6, 0x0a, 1, 0x6b, 0x12, 1, 0x76]).toString('hex'));
    expect(Buffer.from(bytes).toString('hex')).toContain(`4207${Buffer.from('variant').toString('hex')}`);
  });
});
