import { describe, expect, it } from 'vitest';
import { packBlocks } from './packBlocks.ts';
import { packRows } from './packRows.ts';
import { unpackBlocks } from './unpackBlocks.ts';
import { unpackRows } from './unpackRows.ts';

const WIDTHS = [2, 4, 8] as const;
const RAGGED = [1, 2, 3, 5, 7, 16, 17, 31, 33, 172];

/** Codes from a small congruential generator: every value of the width turns up. */
function someCodes(count: number, bits: number): Uint8Array {
  let state = 12345;
  return Uint8Array.from({ length: count }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 16) & ((1 << bits) - 1);
  });
}

/** The layout spelled out one bit at a time: code k of a row starts at bit k * bits, low bits first. */
function packBitByBit(codes: Uint8Array, columns: number, stored: number, bits: number, pad: (row: number) => number) {
  const rows = codes.length / columns;
  const rowBytes = Math.ceil((stored * bits) / 8);
  const packed = new Uint8Array(rows * rowBytes);
  for (let row = 0; row < rows; row++) {
    for (let bit = 0; bit < rowBytes * 8; bit++) {
      const column = Math.floor(bit / bits);
      const code = column < columns ? codes[row * columns + column]! : pad(row);
      if ((code >> (bit % bits)) & 1) packed[row * rowBytes + (bit >> 3)]! |= 1 << (bit & 7);
    }
  }
  return packed;
}

describe('packBlocks', () => {
  it('packs low bits first', () => {
    const four = packBlocks(Uint8Array.of(0x1, 0x2, 0xf), { rows: 1, columns: 3, blockSize: 4, bits: 4, padCode: 8 });
    expect([...four]).toEqual([0x21, 0x8f]);
    const two = packBlocks(Uint8Array.of(1, 2, 3), { rows: 1, columns: 3, blockSize: 8, bits: 2, padCode: 2 });
    expect([...two]).toEqual([0b10_11_10_01, 0b10_10_10_10]);
  });

  for (const bits of WIDTHS) {
    it(`equals a packing bit by bit at ragged sizes, ${bits} bits`, () => {
      for (const columns of RAGGED) {
        for (const blockSize of [16, 32, 256]) {
          for (const rows of [1, 3]) {
            const codes = someCodes(rows * columns, bits);
            const padCode = someCodes(rows, bits);
            const stored = Math.ceil(columns / blockSize) * blockSize;
            const packed = packBlocks(codes, { rows, columns, blockSize, bits, padCode });
            expect(packed).toEqual(packBitByBit(codes, columns, stored, bits, row => padCode[row]!));
            expect(unpackBlocks(packed, { rows, columns, blockSize, bits })).toEqual(codes);
          }
        }
      }
    });
  }

  it('adds the offset to codes and not to the padding', () => {
    const packing = { rows: 1, columns: 3, blockSize: 4, bits: 4, padCode: 8, codeOffset: 4 } as const;
    expect([...packBlocks(Uint8Array.of(0, 7, 4), packing)]).toEqual([0xb4, 0x88]);
  });

  it('leaves its input alone', () => {
    const codes = someCodes(51, 4);
    const before = codes.slice();
    packBlocks(codes, { rows: 3, columns: 17, blockSize: 16, bits: 4, padCode: 0, codeOffset: 0 });
    expect(codes).toEqual(before);
  });

  it('refuses codes that are too wide, too few, or blocks that end inside a byte', () => {
    const layout = { rows: 1, columns: 3, blockSize: 16, padCode: 0 } as const;
    for (const position of [0, 1, 2]) {
      const codes = new Uint8Array(3);
      codes[position] = 16;
      expect(() => packBlocks(codes, { ...layout, bits: 4 })).toThrow('does not fit in 4 bits');
    }
    expect(() => packBlocks(Uint8Array.of(255, 0, 0), { ...layout, bits: 8, codeOffset: 1 })).toThrow('8 bits');
    expect(() => packBlocks(Uint8Array.of(0, 0, 0), { ...layout, bits: 4, padCode: 16 })).toThrow('4 bits');
    expect(() => packBlocks(new Uint8Array(2), { ...layout, bits: 4 })).toThrow('2 codes do not fill 1 rows of 3');
    expect(() => packBlocks(new Uint8Array(3), { ...layout, blockSize: 3, bits: 4 })).toThrow('whole bytes');
    expect(() => unpackBlocks(new Uint8Array(7), { ...layout, bits: 4 })).toThrow('7 bytes do not fill 1 rows of 8');
  });
});

describe('packRows', () => {
  for (const bits of WIDTHS) {
    it(`pads each row with zeros to whole bytes, ${bits} bits`, () => {
      for (const columns of RAGGED) {
        const codes = someCodes(5 * columns, bits);
        const packed = packRows(codes, { rows: 5, columns, bits });
        expect(packed).toEqual(packBitByBit(codes, columns, columns, bits, () => 0));
        expect(unpackRows(packed, { rows: 5, columns, bits })).toEqual(codes);
      }
    });
  }
});
