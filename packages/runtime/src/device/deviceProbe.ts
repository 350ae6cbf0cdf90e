import { createModel, DataType, node, serializeModel, tensorInput } from '@quern/onnx';
import { InferenceSession, Tensor } from 'onnxruntime-node';

/** What the child process answers: null when the device works, else ONNX Runtime's words. */
export interface ProbeAnswer {
  readonly failure: string | null;
}

/**
 * The child process of `probeDevices`: multiplies two matrices on the device named in its argument and sends a
 * `ProbeAnswer`. A provider that brings the process down does so here.
 */
const device = process.argv[2]!;
process.send?.({ failure: await tryDevice() } satisfies ProbeAnswer, () => process.exit(0));

async function tryDevice(): Promise<string | null> {
  const model = createModel({
    folder: '.',
    inputs: [tensorInput('a', DataType.FLOAT, ['m', 'k']), tensorInput('b', DataType.FLOAT, ['k', 'n'])],
    outputs: [tensorInput('c', DataType.FLOAT, ['m', 'n'])],
    nodes: [node('MatMul', ['a', 'b'], ['c'])],
  });
  try {
    const session = await InferenceSession.create(serializeModel(model), { executionProviders: [device] });
    const { c } = await session.run({
      a: new Tensor('float32', Float32Array.of(1, 2, 3, 4), [2, 2]),
      b: new Tensor('float32', Float32Array.of(5, 6, 7, 8), [2, 2]),
    });
    const product = [...(c!.data as Float32Array)];
    if (product.join() === '19,22,43,50') return null;
    return `a product of two matrices came out as ${product.join(', ')} instead of 19, 22, 43, 50`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
