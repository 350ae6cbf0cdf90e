import { createModel, DataType, type NodeProto, node, type OnnxModel, tensorInput } from '@quern/onnx';
import { Tensor } from 'onnxruntime-node';
import { openSession } from '../openSession.ts';
import { runSession } from '../runSession.ts';
import type { Device } from './device.ts';

/** How fast a device is with what nearly all the time goes into. */
export interface DeviceSpeed {
  /** Floating-point operations a second of a float32 product of two square matrices. */
  readonly gemmFlops: number;
  /** Bytes a second that a sum of two matrices reads and writes. */
  readonly copyBytes: number;
}

/** Operators in the long one of the two graphs that are compared. */
const REPEATS = 5;

const TRIALS = 2;

/** Matrices grow until an operator takes this long, or as far as the last size. */
const ENOUGH_MS = 10;
const FIRST_SIZE = 128;
const LAST_SIZE = 4096;

/**
 * Measures a device in this process: matrices of 128 x 128, then twice as large until one operator takes 10 ms.
 *
 * The matrices stay on the device: the time of a graph of one operator is taken from that of a graph of five, so that what travels,
 * the same in both, does not count. Errors: those of `openSession`. Cost: a second or two, and 400 MB at most.
 */
export async function measureDevice(device: Device): Promise<DeviceSpeed> {
  const gemm = await growing(device, 'MatMul');
  const sum = await growing(device, 'Add');
  return {
    gemmFlops: (2 * gemm.size ** 3 * 1000) / gemm.durationMs,
    copyBytes: (3 * 4 * sum.size ** 2 * 1000) / sum.durationMs,
  };
}

interface Measured {
  readonly size: number;
  /** Of one operator. */
  readonly durationMs: number;
}

async function growing(device: Device, opType: 'MatMul' | 'Add'): Promise<Measured> {
  const short = await openSession(chain(opType, 1), { device });
  const long = await openSession(chain(opType, REPEATS), { device });
  const time = async (session: typeof short, x: Tensor): Promise<number> => {
    let best = Number.POSITIVE_INFINITY;
    for (let trial = 0; trial <= TRIALS; trial++) {
      const started = performance.now();
      await runSession(session, { x }, 'the speed test');
      // The first run compiles kernels.
      if (trial > 0) best = Math.min(best, performance.now() - started);
    }
    return best;
  };
  try {
    for (let size = FIRST_SIZE; ; size *= 2) {
      const x = new Tensor('float32', values(size), [size, size]);
      const once = await time(short, x);
      const many = await time(long, x);
      // Noise can make the difference of short times anything.
      const durationMs = Math.max((many - once) / (REPEATS - 1), many / 1000);
      if (durationMs >= ENOUGH_MS || size === LAST_SIZE) return { size, durationMs };
    }
  } finally {
    await short.release();
    await long.release();
  }
}

/** x op x op ... op x, of which one number comes back. */
function chain(opType: 'MatMul' | 'Add', length: number): OnnxModel {
  const nodes: NodeProto[] = [];
  for (let step = 0; step < length; step++) {
    nodes.push(node(opType, [step === 0 ? 'x' : `y${step - 1}`, 'x'], [`y${step}`]));
  }
  nodes.push(node('ReduceSum', [`y${length - 1}`], ['sum'], { attributes: { keepdims: { int: 0 } } }));
  return createModel({
    folder: '.',
    graphName: 'speed test',
    inputs: [tensorInput('x', DataType.FLOAT, ['n', 'n'])],
    outputs: [tensorInput('sum', DataType.FLOAT, [])],
    nodes,
  });
}

/** Products of many of these neither vanish nor overflow. */
function values(size: number): Float32Array {
  return new Float32Array(size * size).map((_, index) => (((index * 7919) % 1009) / 504 - 1) * Math.sqrt(3 / size));
}
