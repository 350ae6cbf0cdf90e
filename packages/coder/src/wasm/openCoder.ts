import { coderBinary } from '../generated/coderBinary.ts';

/** The part of the global that is used here; the compiler's library lists it for browsers only. */
declare const WebAssembly: {
  readonly Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (binary: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

/** The compiled coder over one memory. Pointers are byte offsets into it; see assembly/ for what each function does. */
export interface Coder {
  readonly memory: { readonly buffer: ArrayBuffer };
  decodeRows(
    states: number,
    words: number,
    rowTables: number,
    columnTables: number,
    pads: number,
    rows: number,
    columns: number,
    groups: number,
    out: number,
    bits: number,
    lanes: number,
  ): number;
  encodeRows(
    states: number,
    words: number,
    rowTables: number,
    columnTables: number,
    rows: number,
    columns: number,
    codes: number,
    missing: number,
    lanes: number,
  ): number;
  scaleCosts(
    codes: number,
    across: number,
    firsts: number,
    lines: number,
    count: number,
    costs: number,
    costBytes: number,
    sums: number,
  ): void;
}

/** The module's own constants lie below. */
export const FIRST_BYTE = 2048;

const PAGE_BYTES = 65536;
/** Above this a memory is not kept for the next call. */
const LARGEST_KEPT = 16 * 2 ** 20;
let compiled: object | undefined;
let kept: Coder | undefined;

/** A coder with room for `byteCount` bytes from FIRST_BYTE on, whatever stands there. Good until the next call. */
export function openCoder(byteCount: number): Coder {
  const total = FIRST_BYTE + byteCount;
  if (kept !== undefined && kept.memory.buffer.byteLength >= total) return kept;
  compiled ??= new WebAssembly.Module(Uint8Array.from(atob(coderBinary), character => character.charCodeAt(0)));
  const memory = new WebAssembly.Memory({ initial: Math.ceil(total / PAGE_BYTES) });
  const instance = new WebAssembly.Instance(compiled, { env: { memory } });
  const coder = { ...(instance.exports as Omit<Coder, 'memory'>), memory };
  if (total <= LARGEST_KEPT) kept = coder;
  return coder;
}
