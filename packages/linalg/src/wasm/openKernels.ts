import { kernelBinary } from '../generated/kernelBinary.ts';

/** The part of the global that is used here; the compiler's library lists it for browsers only. */
declare const WebAssembly: {
  readonly Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (binary: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

/** The compiled kernels over one memory. Pointers are byte offsets into it; see assembly/ for what each function does. */
export interface Kernels {
  readonly memory: { readonly buffer: ArrayBuffer };
  choleskyUpper(a: number, n: number): number;
  solveUpper(u: number, n: number, b: number, stride: number): void;
  solveUpperTransposed(u: number, n: number, b: number, stride: number): void;
  quantizeColumns(
    columns: number,
    errors: number,
    codes: number,
    scales: number,
    zeroPoints: number,
    stride: number,
    factor: number,
    count: number,
    from: number,
    to: number,
    highestCode: number,
    deadZone: number,
  ): void;
  pursueRow(
    alpha: number,
    gram: number,
    count: number,
    stride: number,
    steps: number,
    images: number,
    taken: number,
    weights: number,
    chosen: number,
    gains: number,
  ): number;
  fitChosen(images: number, stride: number, chosen: number, gains: number, steps: number, coefficients: number): void;
  leadingPair(
    residual: number,
    rowBytes: number,
    users: number,
    count: number,
    values: number,
    atom: number,
    iterations: number,
    along: number,
    next: number,
    products: number,
  ): number;
  groupRanges(values: number, rows: number, columns: number, groupSize: number, ranges: number): void;
  coverRanges(
    ranges: number,
    count: number,
    highestCode: number,
    isSymmetric: number,
    isFloat16: number,
    raisesSmall: number,
    scales: number,
    zeros: number,
  ): number;
  halfQuadraticGrids(
    values: number,
    rows: number,
    columns: number,
    groupSize: number,
    scales: number,
    zeros: number,
    highestCode: number,
    middle: number,
    isFloat16: number,
    norm: number,
    iterations: number,
    work: number,
  ): number;
  powersOf(values: number, count: number, power: number, table: number, results: number): void;
  quantizeGroups(
    values: number,
    rows: number,
    columns: number,
    groupSize: number,
    scales: number,
    zeros: number,
    highestCode: number,
    codes: number,
  ): void;
  reflectPanel(panel: number, count: number, length: number, taus: number, triangle: number): void;
  searchWords(
    linear: number,
    stride: number,
    rows: number,
    metric: number,
    words: number,
    norms: number,
    count: number,
    length: number,
    size: number,
    codes: number,
    codeBytes: number,
    beam: number,
    rounds: number,
    assigned: number,
    work: number,
    changes: number,
  ): number;
  wordNorms(
    words: number,
    metric: number,
    norms: number,
    count: number,
    length: number,
    size: number,
    used: number,
  ): void;
  secularRoots(poles: number, squares: number, count: number, rho: number, nearest: number, offsets: number): number;
  secularWeights(poles: number, z: number, count: number, nearest: number, offsets: number, weights: number): void;
  secularVectors(
    poles: number,
    weights: number,
    count: number,
    origins: number,
    offsets: number,
    from: number,
    to: number,
    row: number,
    left: number,
    leftCount: number,
    right: number,
    rightStart: number,
  ): void;
  tridiagonalizePanel(
    matrix: number,
    n: number,
    stripRows: number,
    from: number,
    to: number,
    reflectors: number,
    updates: number,
    diagonal: number,
    offDiagonal: number,
    taus: number,
  ): void;
}

/** The first bytes stay unused, so that no valid pointer is 0; also keeps cache lines whole. */
export const FIRST_BYTE = 64;

const PAGE_BYTES = 65536;
let compiled: object | undefined;

/** A fresh instance with room for `byteCount` bytes from FIRST_BYTE on. The memory never grows: views of it stay valid. */
export function openKernels(byteCount: number): Kernels {
  compiled ??= new WebAssembly.Module(Uint8Array.from(atob(kernelBinary), character => character.charCodeAt(0)));
  const memory = new WebAssembly.Memory({ initial: Math.ceil((FIRST_BYTE + byteCount) / PAGE_BYTES) });
  const instance = new WebAssembly.Instance(compiled, { env: { memory } });
  return { ...(instance.exports as Omit<Kernels, 'memory'>), memory };
}
