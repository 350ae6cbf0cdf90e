import { type CodeLayout, type ContainerBits, paddedColumns } from '../codeLayout.ts';
import { packBlocks } from '../packBlocks.ts';
import { countCodes } from './countCodes.ts';
import { decodeCodes } from './decodeCodes.ts';
import { encodeCodes } from './encodeCodes.ts';
import { fitCodeTables } from './fitCodeTables.ts';

/** Uniform numbers in [0, 1) from a small congruential generator: the same on every run. */
export function randomSource(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Normal numbers of mean 0 and variance 1 (Box and Muller). */
export function normalSource(seed: number): () => number {
  const random = randomSource(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** A layout in blocks of 32 with the middle code for padding. */
export function layoutOf(rows: number, columns: number, bits: ContainerBits): CodeLayout {
  return { rows, columns, bits, blockSize: 32, padCode: 1 << (bits - 1) };
}

/** Rounded normal numbers about the middle code; each column, and each row, has its own standard deviation. */
export function normalCodes(
  { rows, columns, bits }: CodeLayout,
  options: { readonly scale: number; readonly columnSpread: number; readonly rowSpread: number; readonly seed: number },
): Uint8Array {
  const normal = normalSource(options.seed);
  const middle = 1 << (bits - 1);
  const ofColumns = Array.from({ length: columns }, () => options.scale * Math.exp(options.columnSpread * normal()));
  const ofRows = Array.from({ length: rows }, () => Math.exp(options.rowSpread * normal()));
  return Uint8Array.from({ length: rows * columns }, (_, index) => {
    const deviation = ofColumns[index % columns]! * ofRows[Math.floor(index / columns)]!;
    return Math.max(0, Math.min(2 * middle - 1, middle + Math.round(deviation * normal())));
  });
}

/** Packs codes, encodes them with tables of their own and decodes them again, between bytes that must stay. */
export function roundTrip(codes: Uint8Array, layout: CodeLayout) {
  const bytes = packBlocks(codes, layout);
  const tables = fitCodeTables([countCodes(bytes, layout)], { maximum: 64 });
  const payload = encodeCodes(bytes, layout, tables);
  const guarded = new Uint8Array(bytes.length + 32).fill(0xa5);
  decodeCodes(payload, layout, tables, guarded.subarray(16, 16 + bytes.length));
  const guards = [...guarded.subarray(0, 16), ...guarded.subarray(16 + bytes.length)];
  return {
    bytes,
    tables,
    payload,
    decoded: guarded.slice(16, 16 + bytes.length),
    guardsStand: guards.every(byte => byte === 0xa5),
    rowBytes: (paddedColumns(layout) * layout.bits) / 8,
  };
}
