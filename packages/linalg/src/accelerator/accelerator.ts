/** A device of ONNX Runtime beside the processor that takes large products in float32. */
export interface Accelerator {
  /** An execution provider; `cpu` in tests of the graphs alone. */
  readonly device: 'cuda' | 'webgpu' | 'cpu';
  /** One cell in shared memory, 0 at first: threads of one process use the device in turn. */
  readonly lock: Int32Array;
  /** Floating-point operations from which work is sent; `LEAST_FLOPS` unless given. */
  readonly leastFlops?: number;
}

/** Below this a core is done before kernels have started: 25 ms of work. */
const LEAST_FLOPS = 2e9;

/** Operations for each byte that travels: at 5 GB a second that is a TFLOP a second, more than all cores of most machines do. */
const LEAST_FLOPS_A_BYTE = 200;

/** Products that take as long to start as the kernels of a sweep of a dictionary, hundreds of them, most of them small. */
export const SWEEP_STARTS = 4;

/** Whether work is worth sending to the device: floating-point operations, bytes that travel, and as how many products its kernels start. */
export function isWorthSending(
  { leastFlops = LEAST_FLOPS }: Accelerator,
  flops: number,
  bytes: number,
  starts = 1,
): boolean {
  return flops >= starts * leastFlops && (leastFlops === 0 || flops >= LEAST_FLOPS_A_BYTE * bytes);
}

/** Does work once no other thread uses the device. Blocks this thread, which must not be the main one if it has to wait. */
export async function inTurn<Result>({ lock }: Accelerator, work: () => Promise<Result>): Promise<Result> {
  while (Atomics.compareExchange(lock, 0, 0, 1) !== 0) Atomics.wait(lock, 0, 1);
  try {
    return await work();
  } finally {
    Atomics.store(lock, 0, 0);
    Atomics.notify(lock, 0, 1);
  }
}
