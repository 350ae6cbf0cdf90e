import { createModel, DataType, node, serializeModel, tensorInput } from '@quern/onnx';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Device } from './device.ts';
import { type DeviceSpeed, measureDevice } from './measureDevice.ts';

/** What the child process answers. */
export interface ProbeAnswer {
  /** Null when the device works, else ONNX Runtime's words. */
  readonly failure: string | null;
  /** Where it was asked for. */
  readonly speed: DeviceSpeed | null;
}

/**
 * The child process of `askDevice`: multiplies two matrices on the device named in its first argument, measures it where the second
 * says so, and sends a `ProbeAnswer`. A provider that brings the process down does so here.
 */
const [device, task] = process.argv.slice(2) as [Device, 'try' | 'measure'];
process.send?.(await answer(), () => process.exit(0));

async function answer(): Promise<ProbeAnswer> {
  try {
    const failure = await tryDevice();
    return { failure, speed: failure === null && task === 'measure' ? await measureDevice(device) : null };
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error), speed: null };
  }
}

async function tryDevice(): Promise<string | null> {
  const model = createModel({
    folder: '.',
    inputs: [tensorInput('a', DataType.FLOAT, ['m', 'k']), tensorInput('b', DataType.FLOAT, ['k', 'n'])],
    outputs: [tensorInput('c', DataType.FLOAT, ['m', 'n'])],
    nodes: [node('MatMul', ['a', 'b'], ['c'])],
  });
  const session = await InferenceSession.create(serializeModel(model), { executionProviders: [device] });
  const { c } = await session.run({
    a: new Tensor('float32', Float32Array.of(1, 2, 3, 4), [2, 2]),
    b: new Tensor('float32', Float32Array.of(5, 6, 7, 8), [2, 2]),
  });
  const product = [...(c!.data as Float32Array)];
  if (product.join() === '19,22,43,50') return null;
  return `a product of two matrices came out as ${product.join(', ')} instead of 19, 22, 43, 50`;
}
