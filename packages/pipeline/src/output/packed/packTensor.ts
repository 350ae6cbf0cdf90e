import {
  type BlockLayout,
  type CodeCounts,
  type CodeLayout,
  type CodeTables,
  countCodes,
  encodeCodes,
  narrowestPlanes,
  packPlanes,
  packSparse,
  planeBytes,
} from '@quern/coder';
import { halvesLayout, type PackedEncoding } from '@quern/loader';
import { maskHalves } from './maskHalves.ts';

/** What is known of a tensor besides its bytes. */
export type TensorNature =
  /** Codes as an n-bit kernel reads them. */
  | { readonly kind: 'codes'; readonly layout: BlockLayout }
  /** float16 or bfloat16, `[rows, columns]`. */
  | { readonly kind: 'halves'; readonly rows: number; readonly columns: number }
  | { readonly kind: 'other' };

/** A tensor in the smallest of its encodings. */
export interface PackedBytes {
  readonly encoding: PackedEncoding;
  readonly payload: Uint8Array;
  /** What bit planes at the codes' own width would take; the container's bytes for what has no codes. */
  readonly planeBytes: number;
}

/** The codes of a tensor that the entropy coder would see, counted by column; null for tensors that it does not see. */
export function countTensor(bytes: Uint8Array, nature: TensorNature): CodeCounts | null {
  if (nature.kind === 'codes') return countCodes(bytes, withPadding(bytes, nature.layout));
  if (nature.kind === 'other') return null;
  const { values, rows, columns } = maskHalves(bytes) ?? { ...nature, values: bytes };
  return countCodes(splitHalves(values).upper, halvesLayout(rows, columns));
}

/**
 * Packs a tensor without loss in whichever encoding takes the fewest bytes.
 *
 * Cost: that of `encodeCodes`; the payloads of two encodings in memory.
 */
export function packTensor(bytes: Uint8Array, nature: TensorNature, tables: CodeTables): PackedBytes {
  const raw: PackedBytes = { encoding: { kind: 'raw' }, payload: bytes, planeBytes: bytes.length };
  if (bytes.length === 0) return raw;
  switch (nature.kind) {
    case 'codes':
      return packCodes(bytes, withPadding(bytes, nature.layout), tables, raw);
    case 'halves':
      return smaller(packMasked(bytes, tables) ?? packHalves(bytes, nature, tables), raw);
    case 'other':
      return raw;
  }
}

function packCodes(bytes: Uint8Array, layout: CodeLayout, tables: CodeTables, raw: PackedBytes): PackedBytes {
  const width = narrowestPlanes(bytes, layout);
  const planes = Math.min(planeBytes(layout, width), bytes.length);
  const coded = { encoding: { kind: 'rans', layout } as const, payload: encodeCodes(bytes, layout, tables) };
  const { format, payload } = packSparse(bytes, layout);
  if (payload.length < Math.min(planes, coded.payload.length)) {
    return { encoding: { kind: 'sparse', layout, format }, payload, planeBytes: planes };
  }
  if (coded.payload.length < planes) return { ...coded, planeBytes: planes };
  if (planes === bytes.length) return raw;
  return {
    encoding: { kind: 'planes', layout, width },
    payload: packPlanes(bytes, layout, width),
    planeBytes: planes,
  };
}

function packMasked(bytes: Uint8Array, tables: CodeTables): PackedBytes | null {
  const masked = maskHalves(bytes);
  if (masked === null) return null;
  const { mask, values, ...shape } = masked;
  const { encoding, payload } = packHalves(values, shape, tables);
  const all = new Uint8Array(mask.length + payload.length);
  all.set(mask);
  all.set(payload, mask.length);
  return {
    encoding: { ...encoding, kind: 'sparseHalves', count: bytes.length / 2 },
    payload: all,
    planeBytes: bytes.length,
  };
}

function packHalves(
  bytes: Uint8Array,
  { rows, columns }: { readonly rows: number; readonly columns: number },
  tables: CodeTables,
): PackedBytes & { readonly encoding: Extract<PackedEncoding, { kind: 'halves' }> } {
  const { lower, upper, centre } = splitHalves(bytes);
  const layout = halvesLayout(rows, columns);
  const width = usedBits(lower);
  const shifted = lower.map(byte => byte >> (8 - width));
  const planes = width === 0 ? new Uint8Array(0) : packPlanes(shifted, layout, width);
  const coded = encodeCodes(upper, layout, tables);
  const payload = new Uint8Array(planes.length + coded.length);
  payload.set(planes);
  payload.set(coded, planes.length);
  return { encoding: { kind: 'halves', rows, columns, centre, width }, payload, planeBytes: bytes.length };
}

/** Highest bits that are not zero everywhere, counted down from bit 7. */
function usedBits(bytes: Uint8Array): number {
  const union = bytes.reduce((all, byte) => all | byte, 0);
  return union === 0 ? 0 : 8 - Math.log2(union & -union);
}

function smaller(packed: PackedBytes, raw: PackedBytes): PackedBytes {
  return packed.payload.length < raw.payload.length ? packed : raw;
}

/** Lower and upper bytes of words turned left by one bit, upper ones moved so that the most frequent of them is 128. */
function splitHalves(bytes: Uint8Array): { lower: Uint8Array; upper: Uint8Array; centre: number } {
  const count = bytes.length / 2;
  const lower = new Uint8Array(count);
  const upper = new Uint8Array(count);
  const counts = new Uint32Array(256);
  for (let index = 0; index < count; index++) {
    const word = bytes[2 * index]! | (bytes[2 * index + 1]! << 8);
    lower[index] = (word << 1) | (word >> 15);
    upper[index] = word >> 7;
    counts[upper[index]!]!++;
  }
  const centre = counts.indexOf(Math.max(...counts));
  for (let index = 0; index < count; index++) upper[index]! += 128 - centre;
  return { lower, upper, centre };
}

/** The layout with what stands in its padding; padding that is not one code throughout becomes columns. */
function withPadding(bytes: Uint8Array, layout: BlockLayout): CodeLayout {
  const { rows, columns, blockSize, bits } = layout;
  const padded = Math.ceil(columns / blockSize) * blockSize;
  const codeAt = (position: number): number => {
    const bit = position * bits;
    return (bytes[bit >> 3]! >> (bit & 7)) & (2 ** bits - 1);
  };
  const padCode = rows > 0 && columns < padded ? codeAt(columns) : 0;
  for (let row = 0; row < rows; row++) {
    for (let column = columns; column < padded; column++) {
      if (codeAt(row * padded + column) !== padCode) return { rows, columns: padded, blockSize, bits, padCode: 0 };
    }
  }
  return { rows, columns, blockSize, bits, padCode };
}
