import { bindEigen, type LapackEigen } from './bindEigen.ts';
import { bindGemm, type NativeGemm } from './bindGemm.ts';
import type { Koffi } from './koffi.ts';

/** The few functions of an OpenBLAS library, on row-major arrays. All work in place on the caller's memory. */
export interface OpenBlas extends LapackEigen {
  readonly path: string;
  readonly configuration: string;
  readonly gemm: NativeGemm;
  /** A = U^T U in the upper triangle; -1, or the row whose pivot failed. */
  choleskyUpper(a: Float64Array, n: number): number;
  /** B := U^-1 B, or U^-T B, for B `[n, columns]`. */
  solveUpper(u: Float64Array, n: number, b: Float64Array, columns: number, transposed: boolean): void;
  /** U := U^-1 in the upper triangle. */
  invertUpper(u: Float64Array, n: number): void;
}

/** Usual names; the dynamic loader searches its own folders for those without a path. */
const LIBRARIES = [
  'libopenblas.so.0',
  'libopenblas.so',
  'libopenblas.dylib',
  '/opt/homebrew/opt/openblas/lib/libopenblas.dylib',
  '/usr/local/opt/openblas/lib/libopenblas.dylib',
  'libopenblas.dll',
];

// CBLAS: row-major, transposition, side, triangle, diagonal.
const ROW_MAJOR = 101;
const NO_TRANSPOSE = 111;
const TRANSPOSE = 112;
const UPPER = 121;
const NON_UNIT = 131;
const LEFT = 141;

/**
 * Loads OpenBLAS through koffi: `wanted`, or with 'auto' the library named by QUERN_OPENBLAS or the first of the usual names.
 * The library itself uses one thread: on more it would sum in another order.
 * Returns a sentence when there is none; throws when a library given by path cannot be loaded.
 */
export async function loadOpenBlas(wanted: string): Promise<OpenBlas | string> {
  const path = wanted === 'auto' ? process.env.QUERN_OPENBLAS : wanted;
  const koffi = await importKoffi();
  if (koffi === null) {
    if (path === undefined) return 'koffi has no binary for this system';
    throw new Error(`OpenBLAS at ${path} needs the package koffi, which has no binary for this system.`);
  }
  if (path !== undefined) {
    try {
      return bind(koffi, path);
    } catch (cause) {
      throw new Error(`OpenBLAS at ${path} cannot be loaded: ${(cause as Error).message}`, { cause });
    }
  }
  for (const candidate of LIBRARIES) {
    try {
      return bind(koffi, candidate);
    } catch {}
  }
  return 'no OpenBLAS library was found; QUERN_OPENBLAS may name one';
}

/** Null where koffi has no binary for this system. */
async function importKoffi(): Promise<Koffi | null> {
  try {
    return (await import('koffi')).default as Koffi;
  } catch {
    return null;
  }
}

function bind(koffi: Koffi, path: string): OpenBlas {
  const library = koffi.load(path);
  const trsm = library.func(
    'void cblas_dtrsm(int order, int side, int uplo, int trans, int diag, int m, int n, double alpha, void *a, int lda, void *b, int ldb)',
  );
  // LAPACK is column-major: its lower triangle is our upper one, transposed.
  const potrf = library.func('void dpotrf_(const char *uplo, int *n, void *a, int *lda, _Out_ int *info)');
  const trtri = library.func(
    'void dtrtri_(const char *uplo, const char *diag, int *n, void *a, int *lda, _Out_ int *info)',
  );
  library.func('void openblas_set_num_threads(int count)')(1);
  const configuration = String(library.func('const char *openblas_get_config()')());
  return {
    path,
    configuration,
    gemm: bindGemm(library),
    ...bindEigen(library),
    choleskyUpper(a, n) {
      const info = [0];
      potrf('L', [n], a, [n], info);
      return info[0]! - 1;
    },
    solveUpper(u, n, b, columns, transposed) {
      trsm(ROW_MAJOR, LEFT, UPPER, transposed ? TRANSPOSE : NO_TRANSPOSE, NON_UNIT, n, columns, 1, u, n, b, columns);
    },
    invertUpper(u, n) {
      trtri('L', 'N', [n], u, [n], [0]);
    },
  };
}
