import { describe, expect, it } from 'vitest';
import type { CodeLayout } from '../codeLayout.ts';
import { packBlocks } from '../packBlocks.ts';
import { codeLength } from './codeLength.ts';
import { readCodeStream } from './codeStream.ts';
import { countCodes } from './countCodes.ts';
import { decodeCodes } from './decodeCodes.ts';
import { encodeCodes } from './encodeCodes.ts';
import { estimateStreamBits } from './estimateStreamBits.ts';
import { fitCodeTables } from './fitCodeTables.ts';
import { decodePlainly, encodePlainly } from './naiveRans.ts';
import { layoutOf, normalCodes, randomSource, roundTrip } from './testMatrices.ts';

const WIDTHS = [2, 4, 8] as const;
const SIZES = [
  [1, 1],
  [2, 3],
  [3, 7],
  [5, 8],
  [17, 31],
  [33, 16],
  [64, 172],
  [1, 5000],
  [5000, 1],
  [300, 257],
] as const;

/** Bits that the codes of a layout take under the best member of the family for each column. */
function idealBits(bytes: Uint8Array, layout: CodeLayout): number {
  const { bits, columns, counts } = countCodes(bytes, layout);
  let sum = 0;
  for (let column = 0; column < columns; column++) {
    sum += codeLength(counts.subarray(column << bits, (column + 1) << bits)).bits;
  }
  return sum;
}

describe('encodeCodes', () => {
  for (const bits of WIDTHS) {
    for (const [rows, columns] of SIZES) {
      it(`comes back whatever the codes are, ${rows} x ${columns}, ${bits} bits`, () => {
        const layout = layoutOf(rows, columns, bits);
        const count = rows * columns;
        const random = randomSource(rows + columns);
        const last = (1 << bits) - 1;
        const matrices = {
          narrow: normalCodes(layout, { scale: 0.3, columnSpread: 0.5, rowSpread: 0.3, seed: 1 }),
          wide: normalCodes(layout, { scale: 3, columnSpread: 0.5, rowSpread: 0, seed: 2 }),
          uniform: Uint8Array.from({ length: count }, () => Math.floor(random() * (last + 1))),
          middle: new Uint8Array(count).fill(1 << (bits - 1)),
          zero: new Uint8Array(count),
          highest: new Uint8Array(count).fill(last),
          ends: Uint8Array.from({ length: count }, (_, index) => (index % 2) * last),
          outliers: Uint8Array.from({ length: count }, (_, index) =>
            index % 97 === 5 ? index % (last + 1) : last >> 1,
          ),
        };
        for (const [name, codes] of Object.entries(matrices)) {
          const { decoded, bytes, guardsStand } = roundTrip(codes, layout);
          expect(Buffer.compare(decoded, bytes), name).toBe(0);
          expect(guardsStand, name).toBe(true);
        }
      });
    }
  }

  it('comes back where there are no codes', () => {
    for (const [rows, columns] of [
      [0, 0],
      [0, 7],
      [7, 0],
    ] as const) {
      const { decoded, payload } = roundTrip(new Uint8Array(0), layoutOf(rows, columns, 4));
      expect(decoded.length).toBe(0);
      expect(payload.length).toBeLessThan(32);
    }
  });

  it('comes back under tables that were made for other codes', () => {
    const narrow = layoutOf(40, 24, 8);
    const flat = new Uint8Array(40 * 24).fill(128);
    const tables = fitCodeTables([countCodes(packBlocks(flat, narrow), narrow)], { maximum: 1 });
    const codes = normalCodes(narrow, { scale: 50, columnSpread: 0, rowSpread: 0, seed: 3 });
    const bytes = packBlocks(codes, narrow);
    const target = new Uint8Array(bytes.length);
    decodeCodes(encodeCodes(bytes, narrow, tables), narrow, tables, target);
    expect(Buffer.compare(target, bytes)).toBe(0);
  });

  it('brings back padding that differs by row, and small blocks', () => {
    for (const blockSize of [2, 4, 16]) {
      const padCode = Uint8Array.from({ length: 19 }, (_, row) => row % 16);
      const layout: CodeLayout = { rows: 19, columns: 13, bits: 4, blockSize, padCode };
      const codes = normalCodes(layout, { scale: 1, columnSpread: 0.3, rowSpread: 0, seed: 4 });
      const { decoded, bytes, guardsStand } = roundTrip(codes, layout);
      expect(Buffer.compare(decoded, bytes)).toBe(0);
      expect(guardsStand).toBe(true);
    }
  });

  it('refuses padding that it would not bring back', () => {
    const layout = layoutOf(2, 5, 4);
    const bytes = packBlocks(new Uint8Array(10), layout);
    bytes[31] = 0x18;
    const tables = { ladders: [{ shape: 0, firstScale: 10, count: 8 }] };
    expect(() => encodeCodes(bytes, layout, tables)).toThrow('padding of row 1 holds 1, not 8');
  });

  // 256 x 256 codes get one state, more get sixteen.
  for (const [rows, columns] of [
    [31, 45],
    [256, 256],
    [257, 300],
  ] as const) {
    it(`writes what rANS one code after the other writes, ${rows} x ${columns}`, () => {
      const layout = layoutOf(rows, columns, 4);
      const codes = normalCodes(layout, { scale: 1.2, columnSpread: 0.5, rowSpread: 0.4, seed: 5 });
      codes[7] = 0;
      const { payload, tables } = roundTrip(codes, layout);
      const stream = readCodeStream(payload, rows, columns, tables);
      const plan = { ...stream, rows, columns, bits: 4, ladder: tables.ladders[stream.ladder]! };
      const lanes = rows * columns > 65536 ? 16 : 1;
      const plain = encodePlainly(codes, plan, lanes);
      expect(stream.states).toEqual(plain.states);
      expect(Buffer.compare(stream.words, plain.words)).toBe(0);
      const decoded = decodePlainly(stream.states, stream.words, plan)!;
      for (const position of plain.exceptions) decoded[position] = codes[position]!;
      expect(Buffer.compare(decoded, codes)).toBe(0);
    });
  }

  it('takes at most 1.01 times the length of the model it codes with', () => {
    for (const [rows, columns, scale] of [
      [256, 256, 1.2],
      [256, 768, 1.6],
      [256, 256, 3],
      [1024, 512, 0.4],
      [1024, 300, 20],
    ] as const) {
      const layout = layoutOf(rows, columns, scale > 2 ? 8 : 4);
      const codes = normalCodes(layout, { scale, columnSpread: 0.4, rowSpread: 0, seed: 6 });
      const { payload, bytes } = roundTrip(codes, layout);
      expect((8 * payload.length) / idealBits(bytes, layout)).toBeLessThan(1.01);
    }
  });

  it('gains where rows differ in scale, which no code of columns alone can', () => {
    const layout = layoutOf(512, 512, 4);
    const { payload, bytes } = roundTrip(
      normalCodes(layout, { scale: 1, columnSpread: 0.3, rowSpread: 0.4, seed: 7 }),
      layout,
    );
    expect((8 * payload.length) / idealBits(bytes, layout)).toBeLessThan(0.98);
  });
});

describe('estimateStreamBits', () => {
  it('is within half a per cent of the stream', () => {
    for (const [rows, columns, scale, rowSpread] of [
      [64, 128, 1, 0.2],
      [256, 768, 0.5, 0],
      [1100, 700, 2, 0.4],
      [300, 1000, 12, 0.1],
    ] as const) {
      const layout = layoutOf(rows, columns, scale > 2 ? 8 : 4);
      const codes = normalCodes(layout, { scale, columnSpread: 0.4, rowSpread, seed: 10 });
      const { payload } = roundTrip(codes, layout);
      const ratio = estimateStreamBits({ codes, rows, columns, bits: layout.bits }) / (8 * payload.length);
      expect(Math.abs(ratio - 1)).toBeLessThan(0.005);
    }
  });
});
