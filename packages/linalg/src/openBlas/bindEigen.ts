import { zerosLike } from '../zerosLike.ts';
import type { NativeLibrary } from './koffi.ts';

/** What LAPACK's sytrd leaves: A = Q T Q^T with T tridiagonal. */
export interface LapackTridiagonal<Data extends Float32Array | Float64Array> {
  readonly diagonal: Data;
  /** One value fewer than the diagonal has, then 0. */
  readonly offDiagonal: Data;
  /** Q = H_0 H_1 ..., H_i = I - taus[i] v v^T; the last value is 0. */
  readonly taus: Data;
}

/** LAPACK's steps to eigenvalues, on row-major arrays. */
export interface LapackEigen {
  /**
   * Reduces the symmetric `[n, n]` matrix whose upper triangle is in `a`. Row i of `a` then holds the vector of H_i from column
   * i + 2 on; before, it is 0 and at i + 1 it is 1.
   */
  tridiagonalize<Data extends Float32Array | Float64Array>(a: Data, n: number): LapackTridiagonal<Data>;
  /**
   * Eigenvectors, the rows of `[n, n]`, of a symmetric tridiagonal matrix in float32, by divide and conquer. `diagonal` then holds the
   * eigenvalues, ascending; `offDiagonal` is overwritten. Errors: when an iteration does not converge.
   */
  tridiagonalEigen(diagonal: Float32Array, offDiagonal: Float32Array): Float32Array;
}

/** Columns per step of sytrd, for its workspace: at least as many as LAPACK takes. */
const WORK_COLUMNS = 64;

/** LAPACK is column-major: its lower triangle is our upper one, and its columns are our rows. */
export function bindEigen(library: NativeLibrary): LapackEigen {
  const reduce = (name: string) =>
    library.func(
      `void ${name}(const char *uplo, int *n, void *a, int *lda, void *d, void *e, void *tau, void *work, int *lwork, _Out_ int *info)`,
    );
  const ssytrd = reduce('ssytrd_');
  const dsytrd = reduce('dsytrd_');
  const sstedc = library.func(
    'void sstedc_(const char *compz, int *n, void *d, void *e, void *z, int *ldz, void *work, int *lwork, void *iwork, int *liwork, _Out_ int *info)',
  );
  return {
    tridiagonalize(a, n) {
      const run = a instanceof Float32Array ? ssytrd : dsytrd;
      const [diagonal, offDiagonal, taus] = [zerosLike(a, n), zerosLike(a, n), zerosLike(a, n)];
      const work = zerosLike(a, Math.max(1, WORK_COLUMNS * n));
      run('L', [n], a, [Math.max(1, n)], diagonal, offDiagonal, taus, work, [work.length], [0]);
      return { diagonal, offDiagonal, taus };
    },
    tridiagonalEigen(diagonal, offDiagonal) {
      const n = diagonal.length;
      const vectors = new Float32Array(n * n);
      const work = new Float32Array(1 + 4 * n + n * n);
      const indices = new Int32Array(3 + 5 * n);
      const info = [0];
      const space = [work, [work.length], indices, [indices.length]];
      sstedc('I', [n], diagonal, offDiagonal, vectors, [Math.max(1, n)], ...space, info);
      if (info[0] !== 0) throw new Error(`The eigenvalues of a tridiagonal matrix of ${n} rows did not converge.`);
      return vectors;
    },
  };
}
