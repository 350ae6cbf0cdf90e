import type { GemmVariant } from '../onnxruntime/encodeGemmModel.ts';
import type { GemmProblem } from '../onnxruntime/runGemm.ts';
import type { NativeFunction, NativeLibrary } from './koffi.ts';
import { type ProductPart, productParts } from './productParts.ts';

// CBLAS: row-major, transposition.
const ROW_MAJOR = 101;
const NO_TRANSPOSE = 111;
const TRANSPOSE = 112;

/** c = alpha op(a) op(b) + beta c; large products in parts on `threads` threads of Node's pool, the same bytes for any number. */
export type NativeGemm = (problem: GemmProblem, variant: GemmVariant, threads: number) => Promise<void>;

/** The products of an OpenBLAS library that itself uses one thread. */
export function bindGemm(library: NativeLibrary): NativeGemm {
  const sizes = 'int order, int ta, int tb, int m, int n, int k';
  const dgemm = library.func(
    `void cblas_dgemm(${sizes}, double alpha, void *a, int lda, void *b, int ldb, double beta, void *c, int ldc)`,
  );
  const sgemm = library.func(
    `void cblas_sgemm(${sizes}, float alpha, void *a, int lda, void *b, int ldb, float beta, void *c, int ldc)`,
  );
  return async (problem, variant, threads) => {
    const run = variant.precision === 'float32' ? sgemm : dgemm;
    const calls = productParts(problem.m, problem.n, problem.k).map(part => argumentsOf(problem, variant, part));
    const lanes = Math.min(threads, calls.length);
    if (lanes === 1) for (const values of calls) run(...values);
    else await Promise.all(Array.from({ length: lanes }, () => runInTurn(run, calls)));
  };
}

/** Takes one call after the other off the list. */
async function runInTurn(run: NativeFunction, calls: unknown[][]): Promise<void> {
  for (let values = calls.shift(); values !== undefined; values = calls.shift()) {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    run.async(...values, (error: Error | null) => (error ? reject(error) : resolve()));
    await promise;
  }
}

function argumentsOf({ a, b, c, m, n, k }: GemmProblem, variant: GemmVariant, part: ProductPart): unknown[] {
  const { transposeA, transposeB, alpha, beta } = variant;
  const { row, rows, column, columns } = part;
  const [opA, lda] = transposeA ? [TRANSPOSE, m] : [NO_TRANSPOSE, k];
  const [opB, ldb] = transposeB ? [TRANSPOSE, k] : [NO_TRANSPOSE, n];
  const partOfA = a.subarray(transposeA ? row : row * k);
  const partOfB = b.subarray(transposeB ? column * k : column);
  const partOfC = c.subarray(row * n + column);
  return [ROW_MAJOR, opA, opB, rows, columns, k, alpha, partOfA, lda, partOfB, ldb, beta, partOfC, n];
}
