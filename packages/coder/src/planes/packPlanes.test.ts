import { describe, expect, it } from 'vitest';
import type { CodeLayout, ContainerBits } from '../codeLayout.ts';
import { CodeStreamError } from '../codes/codeStreamError.ts';
import { packBlocks } from '../packBlocks.ts';
import { narrowestPlanes, packPlanes } from './packPlanes.ts';
import { planeBytes } from './planeLayout.ts';
import { unpackPlanes } from './unpackPlanes.ts';

/** Codes lowest .. lowest + 2^width - 1, both ends among them. */
function codesOf(count: number, width: number, lowest: number): Uint8Array {
  let state = 99;
  const codes = Uint8Array.from({ length: count }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return lowest + ((state >>> 16) & ((1 << width) - 1));
  });
  codes[0] = lowest;
  if (count > 1) codes[count - 1] = lowest + (1 << width) - 1;
  return codes;
}

/** The format spelled out a bit at a time. */
function planesBitByBit(codes: Uint8Array, widths: readonly number[], lowest: number): Uint8Array {
  const bytes: number[] = [lowest];
  let shift = 0;
  for (const plane of widths) {
    const bits: number[] = [];
    for (const code of codes) for (let bit = 0; bit < plane; bit++) bits.push(((code - lowest) >> (shift + bit)) & 1);
    for (let at = 0; at < bits.length; at += 8) {
      bytes.push(bits.slice(at, at + 8).reduce((byte, bit, index) => byte | (bit << index), 0));
    }
    shift += plane;
  }
  return Uint8Array.from(bytes);
}

const SPLIT: Record<number, number[]> = {
  1: [1],
  2: [2],
  3: [2, 1],
  4: [4],
  5: [4, 1],
  6: [4, 2],
  7: [4, 2, 1],
  8: [8],
};

describe('packPlanes', () => {
  for (const width of [1, 2, 3, 4, 5, 6, 7, 8]) {
    it(`stores ${width} bits a code and gives the container back`, () => {
      const bits = [2, 4, 8].find(container => container >= width) as ContainerBits;
      const lowest = Math.min(3, (1 << bits) - (1 << width));
      for (const [rows, columns] of [
        [1, 1],
        [3, 5],
        [17, 31],
        [2, 4097],
        [300, 64],
        [7, 172],
      ] as const) {
        const padCode = Uint8Array.from({ length: rows }, (_, row) => row % (1 << bits));
        for (const pad of [1 << (bits - 1), padCode]) {
          const layout: CodeLayout = { rows, columns, bits, blockSize: 32, padCode: pad };
          const codes = codesOf(rows * columns, width, lowest);
          const bytes = packBlocks(codes, layout);
          const planes = packPlanes(bytes, layout, width);
          expect(planes).toEqual(planesBitByBit(codes, SPLIT[width]!, lowest));
          expect(planes.length).toBe(planeBytes(layout, width));
          const target = new Uint8Array(bytes.length).fill(0xa5);
          unpackPlanes(planes, layout, width, target);
          expect(target).toEqual(bytes);
          if (codes.length > 1) expect(narrowestPlanes(bytes, layout)).toBe(width);
        }
      }
    });
  }

  it('takes matrices without codes', () => {
    for (const [rows, columns] of [
      [0, 8],
      [8, 0],
      [0, 0],
    ] as const) {
      const layout: CodeLayout = { rows, columns, bits: 4, blockSize: 16, padCode: 8 };
      expect([...packPlanes(new Uint8Array(0), layout, 3)]).toEqual([0]);
      expect(() => unpackPlanes(Uint8Array.of(0), layout, 3, new Uint8Array(0))).not.toThrow();
    }
  });

  it('refuses codes that span too much, other padding, damaged planes and widths that do not exist', () => {
    const layout: CodeLayout = { rows: 1, columns: 3, bits: 4, blockSize: 4, padCode: 8 };
    const bytes = packBlocks(Uint8Array.of(2, 10, 5), layout);
    expect(() => packPlanes(bytes, layout, 3)).toThrow('codes from 2 to 10 do not fit in planes of 3 bits');
    expect(() => packPlanes(bytes, { ...layout, padCode: 7 }, 4)).toThrow('padding of row 0 holds 8, not 7');
    expect(() => packPlanes(bytes, layout, 9)).toThrow('planes of width 9');
    const planes = packPlanes(bytes, layout, 4);
    const target = new Uint8Array(2);
    expect(() => unpackPlanes(planes.subarray(1), layout, 4, target)).toThrow(CodeStreamError);
    expect(() =>
      unpackPlanes(
        Uint8Array.from(planes, (byte, at) => (at === 0 ? 12 : byte)),
        layout,
        4,
        target,
      ),
    ).toThrow('wider than 4 bits');
    expect(() => unpackPlanes(planes, layout, 4, new Uint8Array(3))).toThrow(RangeError);
  });
});
