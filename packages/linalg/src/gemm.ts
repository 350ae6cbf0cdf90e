import { inTurn, isWorthSending } from './accelerator/accelerator.ts';
import { engine } from './engine.ts';
import type { Matrix } from './matrix.ts';
import { runGemm } from './onnxruntime/runGemm.ts';
import { zerosLike } from './zerosLike.ts';

export interface GemmOptions<Data extends Float32Array | Float64Array> {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  /** Default 1. */
  readonly alpha?: number;
  /** Default 0; other values need `output`. */
  readonly beta?: number;
  /** Receives the result in place of a new matrix. */
  readonly output?: Matrix<Data>;
}

/**
 * op(A) op(B): output = alpha op(A) op(B) + beta output, in the precision of the inputs.
 *
 * `a` is `[m, k]` (or `[k, m]` with transposeA), `b` `[k, n]` (or `[n, k]` with transposeB); result `[m, n]`. Data may be views
 * into larger arrays. Large products in float32 go to the accelerator where the engine has one. Engines agree to k units of the last place; the order of summation is the engine's.
 * Errors: RangeError when shapes do not fit. Cost: m n k multiply-adds, no scratch.
 */
export async function gemm<Data extends Float32Array | Float64Array>(
  a: Matrix<Data>,
  b: Matrix<Data>,
  options: GemmOptions<Data> = {},
): Promise<Matrix<Data>> {
  const { transposeA = false, transposeB = false, alpha = 1, beta = 0 } = options;
  const [m, k] = transposeA ? [a.columns, a.rows] : [a.rows, a.columns];
  const [n, innerOfB] = transposeB ? [b.rows, b.columns] : [b.columns, b.rows];
  const output = options.output ?? { rows: m, columns: n, data: zerosLike(a.data, m * n) };
  if (k !== innerOfB || output.rows !== m || output.columns !== n || (beta !== 0 && options.output === undefined)) {
    throw new RangeError(`gemm: [${m}, ${k}] x [${innerOfB}, ${n}] does not fit [${output.rows}, ${output.columns}]`);
  }
  if (m === 0 || n === 0) return output;
  const precision = a.data instanceof Float32Array ? 'float32' : 'float64';
  const problem = { a: a.data, b: b.data, c: output.data, m, n, k };
  const variant = { precision, transposeA, transposeB, alpha, beta } as const;
  const { openBlas, threads, accelerator } = await engine();
  const bytes = 4 * (m * k + k * n + m * n);
  if (accelerator && precision === 'float32' && isWorthSending(accelerator, 2 * m * n * k, bytes)) {
    await inTurn(accelerator, () => runGemm(problem, variant, { threads, device: accelerator.device }));
  } else if (openBlas !== null) await openBlas.gemm(problem, variant, threads);
  else await runGemm(problem, variant, { threads });
  return output;
}
