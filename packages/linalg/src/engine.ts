import type { Accelerator } from './accelerator/accelerator.ts';
import { loadOpenBlas, type OpenBlas } from './openBlas/loadOpenBlas.ts';

/** What runs the kernels of this thread, for reports and for the hash of a job. */
export interface EngineDescription {
  readonly gemm: 'ONNX Runtime' | 'OpenBLAS';
  readonly factorization: 'WebAssembly and ONNX Runtime' | 'OpenBLAS';
  readonly threads: number;
  /** Where OpenBLAS was found and what it says of itself; null without it. */
  readonly openBlas: { readonly path: string; readonly configuration: string } | null;
  /** Why OpenBLAS is not used; null where it is. */
  readonly reason: string | null;
}

export interface EngineOptions {
  /** Threads of one product, whose sums do not depend on it; 1 inside worker threads. Default 1. */
  readonly threads?: number;
  /** 'auto' takes OpenBLAS where a library is found, 'off' never does, anything else is a library's path. Default 'auto'. */
  readonly openBlas?: string;
  /** A cell in shared memory: once it holds 1, no kernel starts any more. Ending a thread inside a kernel ends the process. */
  readonly stop?: Int32Array;
  /** Takes large products in float32; none unless given. */
  readonly accelerator?: Accelerator | undefined;
}

interface Engine {
  readonly threads: number;
  readonly stop: Int32Array | undefined;
  readonly openBlas: OpenBlas | null;
  readonly reason: string | null;
  readonly accelerator: Accelerator | undefined;
}

let chosen: Promise<Engine> | undefined;

/**
 * Chooses what runs the kernels of this thread; later calls choose anew. Without it the first kernel chooses the defaults.
 *
 * Errors: a library given by path that cannot be loaded.
 */
export async function chooseEngine(options: EngineOptions = {}): Promise<EngineDescription> {
  const opened = await open(options);
  chosen = Promise.resolve(opened);
  return describeEngine();
}

/** What runs the kernels of this thread. */
export async function describeEngine(): Promise<EngineDescription> {
  const { threads, openBlas, reason } = await engine();
  if (openBlas === null) {
    return { gemm: 'ONNX Runtime', factorization: 'WebAssembly and ONNX Runtime', threads, openBlas: null, reason };
  }
  const { path, configuration } = openBlas;
  return { gemm: 'OpenBLAS', factorization: 'OpenBLAS', threads, openBlas: { path, configuration }, reason: null };
}

/** The engine of this thread; chosen with the defaults when nobody chose. Errors: once the engine was told to stop. */
export async function engine(): Promise<Engine> {
  chosen ??= open({});
  const opened = await chosen;
  if (opened.stop && Atomics.load(opened.stop, 0) === 1) throw new Error('The numeric engine was told to stop.');
  return opened;
}

async function open({ threads = 1, openBlas = 'auto', stop, accelerator }: EngineOptions): Promise<Engine> {
  const common = { threads, stop, accelerator };
  if (openBlas === 'off') return { ...common, openBlas: null, reason: 'switched off' };
  const found = await loadOpenBlas(openBlas);
  if (typeof found === 'string') return { ...common, openBlas: null, reason: found };
  return { ...common, openBlas: found, reason: null };
}
