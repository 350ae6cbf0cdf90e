import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createModel, DataType, externalInitializer, node, serializeModel, tensorInput } from '@quern/onnx';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSession } from './openSession.ts';
import { runSession } from './runSession.ts';

const cpu = { device: 'cpu', threads: 1 } as const;
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-session-'));
  const numbers = Float32Array.from({ length: 3000 }, (_, index) => index);
  await writeFile(join(folder, 'weights.bin'), new Uint8Array(numbers.buffer));
});
afterAll(() => rm(folder, { recursive: true }));

/** y = x + the 500 numbers from `offset` on. */
function adder(location: string, offset: number, opType = 'Add') {
  const length = 2000;
  return createModel({
    folder,
    graphName: 'adder',
    inputs: [tensorInput('x', DataType.FLOAT, [500])],
    outputs: [tensorInput('y', DataType.FLOAT, [500])],
    initializers: [externalInitializer({ name: 'w', dataType: DataType.FLOAT, dims: [500], location, offset, length })],
    nodes: [node(opType, ['x', 'w'], ['y'])],
  });
}

const zeros = () => ({ x: new Tensor('float32', new Float32Array(500), [500]) });
const messageOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    error => `${error.code}: ${error.message}`,
  );

/** y = x W^T with the first 3000 numbers as `[50, 60]`. */
function linear() {
  const turn = { attributes: { perm: { ints: [1, 0] } } };
  const weight = {
    name: 'w',
    dataType: DataType.FLOAT,
    dims: [50, 60],
    location: 'weights.bin',
    offset: 0,
    length: 12000,
  };
  return createModel({
    folder,
    inputs: [tensorInput('x', DataType.FLOAT, ['batch', 3, 60])],
    outputs: [tensorInput('y', DataType.FLOAT, ['batch', 3, 50])],
    initializers: [externalInitializer(weight)],
    nodes: [node('Transpose', ['w'], ['t'], turn), node('MatMul', ['x', 't'], ['y'])],
  });
}

describe('openSession', () => {
  it('gives the values of the graph as it stands, bit for bit, where it reads weights without turning them', async () => {
    const x = new Tensor(
      'float32',
      Float32Array.from({ length: 360 }, (_, at) => Math.sin(at)),
      [2, 3, 60],
    );
    const own = await openSession(linear(), cpu);
    const plain = await InferenceSession.create(serializeModel(linear()), {
      extra: { session: { model_external_initializers_file_folder_path: folder } },
    });
    const [found, expected] = [await runSession(own, { x }, 'the product'), await plain.run({ x })];
    expect(found.y!.data).toEqual(expected.y!.data);
    expect(found.y!.dims).toEqual([2, 3, 50]);
    await Promise.all([own.release(), plain.release()]);
  });

  it('reads weights from the folder of a header in memory', async () => {
    const session = await openSession(adder('weights.bin', 4000), cpu);
    const { y } = await runSession(session, zeros(), 'the adder');
    expect([...(y!.data as Float32Array).subarray(0, 2)]).toEqual([1000, 1001]);
    await session.release();
  });

  it('names the model and the next step when weights are missing or cut off', async () => {
    expect(await messageOf(openSession(adder('gone.bin', 0), cpu))).toMatch(
      new RegExp(`^RUNTIME_FAILED: Cannot open the model "adder" in ${folder} on cpu: .*The files with the weights`),
    );
    await truncate(join(folder, 'weights.bin'), 5000);
    expect(await messageOf(openSession(adder('weights.bin', 4000), cpu))).toMatch(
      /RUNTIME_FAILED: .*files with the weights/,
    );
  });

  it('names an operator that the engine does not have', async () => {
    const message = await messageOf(openSession(adder('weights.bin', 0, 'Blend'), cpu));
    expect(message).toMatch(/^RUNTIME_FAILED: .*Blend.*no kernel for an operator/);
  });

  it('names the shapes of a run that fails', async () => {
    const session = await openSession(adder('weights.bin', 0), cpu);
    const feeds = { x: new Tensor('float32', new Float32Array(7), [7]) };
    expect(await messageOf(runSession(session, feeds, 'the adder'))).toMatch(
      /^RUNTIME_FAILED: Cannot run the adder with x \[7\]: .*shorter window/,
    );
    await session.release();
  });
});

it('refuses attention that bounds its scores on WebGPU, which would not say that it does not', async () => {
  const model = adder('weights.bin', 0);
  const attributes = { softcap: { float: 30 } };
  model.proto.graph!.node.push(node('GroupQueryAttention', ['x'], ['z'], { name: '/attn', attributes }));
  const message = await messageOf(openSession(model, { device: 'webgpu' }));
  expect(message).toMatch(
    /^UNSUPPORTED_MODEL: .*softcap of \/attn\), which the WebGPU kernel passes over.*say --device cpu/,
  );
});
