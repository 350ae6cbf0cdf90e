import { describe, expect, it } from 'vitest';
import { packBlocks } from '../packBlocks.ts';
import { checksum } from './checksum.ts';
import { CodeStreamError } from './codeStreamError.ts';
import { decodeCodes } from './decodeCodes.ts';
import { encodeCodes } from './encodeCodes.ts';
import { layoutOf, normalCodes, randomSource, roundTrip } from './testMatrices.ts';

/** Small with one state, and large enough for sixteen. */
const SIZES = [
  [23, 40],
  [260, 253],
] as const;

/** A copy with some bytes changed, dropped, doubled or cut off. */
function damage(payload: Uint8Array, random: () => number): Uint8Array {
  const damaged = payload.slice();
  const kind = Math.floor(random() * 5);
  const at = Math.floor(random() ** 3 * damaged.length);
  if (kind === 0) damaged[at]! ^= 1 << Math.floor(random() * 8);
  if (kind === 1)
    for (let count = 0; count < 8; count++) damaged[Math.floor(random() * damaged.length)] = random() * 256;
  if (kind === 2) damaged.fill(random() * 256, at, at + 1 + Math.floor(random() * 16));
  if (kind === 3) return damaged.subarray(0, at);
  if (kind === 4) damaged.copyWithin(at, at + 1 + Math.floor(random() * 4));
  return damaged;
}

describe('decodeCodes', () => {
  for (const [rows, columns] of SIZES) {
    for (const bits of [4, 8] as const) {
      const layout = layoutOf(rows, columns, bits);
      const codes = normalCodes(layout, { scale: 1.5, columnSpread: 0.5, rowSpread: 0.3, seed: 8 });
      codes[50] = 0;
      const { payload, tables, bytes } = roundTrip(codes, layout);
      const guarded = new Uint8Array(bytes.length + 64);
      const decode = (stream: Uint8Array): string => {
        guarded.fill(0xa5);
        try {
          decodeCodes(stream, layout, tables, guarded.subarray(32, 32 + bytes.length));
        } catch (error) {
          if (!(error instanceof CodeStreamError)) throw error;
          return error.code;
        }
        return 'decoded';
      };
      const guardsStand = (): boolean =>
        guarded.subarray(0, 32).every(byte => byte === 0xa5) && guarded.subarray(-32).every(byte => byte === 0xa5);

      it(`refuses 2000 damaged streams, ${rows} x ${columns}, ${bits} bits`, () => {
        const random = randomSource(bits + rows);
        let damagedCount = 0;
        for (let round = 0; round < 2000; round++) {
          const damaged = damage(payload, random);
          if (damaged.length === payload.length && damaged.every((byte, at) => byte === payload[at])) continue;
          damagedCount++;
          expect(decode(damaged)).toBe('CORRUPT_CODES');
        }
        expect(damagedCount).toBeGreaterThan(1500);
        expect(decode(payload)).toBe('decoded');
      });

      it(`stays in bounds for 1000 streams forged with a right checksum, ${rows} x ${columns}, ${bits} bits`, () => {
        const random = randomSource(bits * rows);
        let refused = 0;
        for (let round = 0; round < 1000; round++) {
          const forged = damage(payload, random).slice();
          if (forged.length >= 4) new DataView(forged.buffer).setUint32(0, checksum(forged.subarray(4)), true);
          if (decode(forged) !== 'decoded') refused++;
          expect(guardsStand()).toBe(true);
        }
        // Damage to exceptions alone goes through; anything else ends states or words where they should not.
        expect(refused).toBeGreaterThan(700);
      });
    }
  }

  it('refuses a stream under another layout, other tables and a target of another size', () => {
    const layout = layoutOf(64, 96, 4);
    const codes = normalCodes(layout, { scale: 1, columnSpread: 0.3, rowSpread: 0, seed: 9 });
    const tables = { ladders: [{ shape: 0, firstScale: 8, count: 24 }] };
    const payload = encodeCodes(packBlocks(codes, layout), layout, tables);
    const target = new Uint8Array(64 * 48);
    expect(() => decodeCodes(payload, layout, tables, target.subarray(1))).toThrow(RangeError);
    const turned = layoutOf(96, 64, 4);
    expect(() => decodeCodes(payload, turned, tables, target)).toThrow(CodeStreamError);
    const others = { ladders: [{ shape: 3, firstScale: 8, count: 24 }] };
    expect(() => decodeCodes(payload, layout, others, target)).toThrow(CodeStreamError);
    for (const ladder of [
      { shape: 9, firstScale: 0, count: 1 },
      { shape: 0, firstScale: 60, count: 5 },
      { shape: 0, firstScale: 0.5, count: 1 },
      { shape: 0, firstScale: 0, count: 0 },
    ]) {
      expect(() => decodeCodes(payload, layout, { ladders: [ladder] }, target)).toThrow(RangeError);
    }
    expect(() => decodeCodes(payload, layout, { ladders: [] }, target)).toThrow('0 code tables');
  });
});
