import { InferenceSession, Tensor } from 'onnxruntime-node';
import { encodeGemmModel, type GemmVariant } from './encodeGemmModel.ts';
import { sessionOptions } from './sessionOptions.ts';

/** One product on flat arrays; `c` is input and output where beta is not 0, output alone otherwise. */
export interface GemmProblem {
  readonly a: Float32Array | Float64Array;
  readonly b: Float32Array | Float64Array;
  readonly c: Float32Array | Float64Array;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

const sessions = new Map<string, Promise<InferenceSession>>();

/** What runs a product. */
export interface GemmPlace {
  readonly threads: number;
  /** An execution provider, the processor unless given. */
  readonly device?: string;
}

/** c = alpha op(a) op(b) + beta c through a session of ONNX Runtime that serves every size. Works on the caller's memory. */
export async function runGemm(problem: GemmProblem, variant: GemmVariant, place: GemmPlace): Promise<void> {
  const { m, n, k } = problem;
  const session = await openSession(variant, place);
  const a = new Tensor(variant.precision, unshared(problem.a), variant.transposeA ? [k, m] : [m, k]);
  const b = new Tensor(variant.precision, unshared(problem.b), variant.transposeB ? [n, k] : [k, n]);
  // The same buffer as third input and as output: ONNX Runtime adds in place.
  const c = new Tensor(variant.precision, problem.c, [m, n]);
  await session.run(variant.beta === 0 ? { a, b } : { a, b, c }, { y: c });
}

function openSession(variant: GemmVariant, { threads, device = 'cpu' }: GemmPlace): Promise<InferenceSession> {
  const { precision, transposeA, transposeB, alpha, beta } = variant;
  const key = [precision, transposeA, transposeB, alpha, beta, threads, device].join();
  let session = sessions.get(key);
  if (session === undefined) {
    session = InferenceSession.create(encodeGemmModel(variant), {
      ...sessionOptions({ device, threads }),
      interOpNumThreads: 1,
    });
    sessions.set(key, session);
  }
  return session;
}

/** ONNX Runtime refuses memory shared between threads: that is copied. */
function unshared<Data extends Float32Array | Float64Array>(data: Data): Data {
  return data.buffer instanceof SharedArrayBuffer ? (data.slice() as Data) : data;
}
