import { createModel, DataType, node, serializeModel, tensorInput } from '@quern/onnx';
import { InferenceSession } from 'onnxruntime-node';
import type { Device } from './device.ts';

let held: Promise<InferenceSession> | undefined;

/**
 * Holds a session of WebGPU open until the process ends. ONNX Runtime drops compiled kernels with the last session, and the session of
 * the next block would compile them all again: with SwiftShader 0.8 s for three kernels, 10 ms when another session stays open.
 */
export async function keepKernels(device: Device): Promise<void> {
  if (device !== 'webgpu') return;
  held ??= InferenceSession.create(
    serializeModel(
      createModel({
        folder: '.',
        inputs: [tensorInput('x', DataType.FLOAT, ['n'])],
        outputs: [tensorInput('y', DataType.FLOAT, ['n'])],
        nodes: [node('Neg', ['x'], ['y'])],
      }),
    ),
    { executionProviders: [device] },
  );
  await held;
}
