import { type BlockLayout, type CodeTables, fitCodeTables, packBlocks } from '@quern/coder';
import { checksum, openPacked } from '@quern/loader';
import { describe, expect, it } from 'vitest';
import { encodeIndex, type IndexedTensor } from './encodeIndex.ts';
import { countTensor, packTensor, type TensorNature } from './packTensor.ts';

/** A small generator of whole numbers below a limit. */
function generator(seed: number): (limit: number) => number {
  let state = seed;
  return limit => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

/** Packs tensors into one file in memory and decodes it as a client does. */
async function roundTrip(tensors: readonly { bytes: Uint8Array; nature: TensorNature }[]) {
  const counts = tensors.flatMap(({ bytes, nature }) => countTensor(bytes, nature) ?? []);
  const tables: CodeTables = fitCodeTables(counts, { maximum: 64 });
  let offset = 0;
  const entries: IndexedTensor[] = [];
  const payloads: Uint8Array[] = [];
  const packed = tensors.map(({ bytes, nature }) => {
    const result = packTensor(bytes, nature, tables);
    const { encoding, payload } = result;
    entries.push({ offset, length: bytes.length, encoding, payloadLength: payload.length, checksum: checksum(bytes) });
    payloads.push(payload);
    offset += bytes.length;
    return result;
  });
  const head = encodeIndex(tables, [{ path: 'data', bytes: offset, tensors: entries }]);
  const opened = await openPacked(new Uint8Array(Buffer.concat([head, ...payloads])));
  return { packed, decoded: await opened.decodeFile('data') };
}

/** Codes of a rounded normal distribution around the middle, at most `width` bits wide. */
function bellCodes(count: number, bits: number, width: number, random: (limit: number) => number): Uint8Array {
  const middle = 2 ** (bits - 1);
  const reach = 2 ** (width - 1);
  return Uint8Array.from({ length: count }, () => {
    const value = Math.round(((random(1000) + random(1000) + random(1000) + random(1000) - 2000) / 1200) * (reach / 2));
    return middle + Math.max(-reach, Math.min(reach - 1, value));
  });
}

describe('packTensor', () => {
  const shapes = [
    { rows: 1, columns: 1 },
    { rows: 3, columns: 17 },
    { rows: 5, columns: 352 },
    { rows: 64, columns: 105 },
  ];
  const widths = [
    { bits: 2, width: 2 },
    { bits: 4, width: 3 },
    { bits: 4, width: 4 },
    { bits: 8, width: 6 },
    { bits: 8, width: 8 },
  ] as const;
  it.each(widths)(
    'gives $width bits in a container of $bits back bit for bit, at ragged sizes',
    async ({ bits, width }) => {
      const random = generator(bits + width);
      for (const { rows, columns } of shapes) {
        for (const padCode of [2 ** (bits - 1), 0]) {
          const layout: BlockLayout = { rows, columns, blockSize: 32, bits };
          const codes = bellCodes(rows * columns, bits, width, random);
          const bytes = packBlocks(codes, { ...layout, padCode });
          const { packed, decoded } = await roundTrip([{ bytes, nature: { kind: 'codes', layout } }]);
          expect(decoded).toEqual(bytes);
          expect(packed[0]!.payload.length).toBeLessThanOrEqual(packed[0]!.planeBytes);
        }
      }
    },
  );

  it('keeps padding that is not the same throughout', async () => {
    const random = generator(3);
    const layout: BlockLayout = { rows: 9, columns: 20, blockSize: 32, bits: 4 };
    const padCode = Uint8Array.from({ length: 9 }, () => random(16));
    const bytes = packBlocks(bellCodes(180, 4, 4, random), { ...layout, padCode });
    expect((await roundTrip([{ bytes, nature: { kind: 'codes', layout } }])).decoded).toEqual(bytes);
  });

  it('takes the entropy coder for uneven codes, planes for even narrow ones, nothing for noise', async () => {
    const random = generator(5);
    const layout: BlockLayout = { rows: 256, columns: 256, blockSize: 32, bits: 4 };
    const nature: TensorNature = { kind: 'codes', layout };
    const bell = packBlocks(bellCodes(65536, 4, 4, random), { ...layout, padCode: 0 });
    const even = packBlocks(
      Uint8Array.from({ length: 65536 }, () => 4 + random(8)),
      { ...layout, padCode: 0 },
    );
    const noise = Uint8Array.from({ length: 32768 }, () => random(256));
    const tensors = [bell, even, noise].map(bytes => ({ bytes, nature }));
    const { packed, decoded } = await roundTrip(tensors);
    expect(decoded).toEqual(new Uint8Array(Buffer.concat([bell, even, noise])));
    expect(packed.map(({ encoding }) => encoding.kind)).toEqual(['rans', 'planes', 'raw']);
    // 3 bits a code and the lowest one.
    expect(packed[1]!.payload).toHaveLength((65536 * 3) / 8 + 1);
    expect(packed.map(({ planeBytes }) => planeBytes)).toEqual([32768, 24577, 32768]);
  });

  it.each([
    { bits: 4, lowest: 1, step: 2, width: 3 },
    { bits: 4, lowest: 0, step: 1, width: 4 },
    { bits: 8, lowest: 97, step: 2, width: 5 },
    { bits: 2, lowest: 1, step: 1, width: 1 },
  ] as const)(
    'takes a mask for codes of $width bits that are mostly zero, in a container of $bits',
    async ({ bits, lowest, step, width }) => {
      const random = generator(11);
      for (const { rows, columns } of [...shapes, { rows: 128, columns: 70 }]) {
        const layout: BlockLayout = { rows, columns, blockSize: 32, bits };
        const zero = 2 ** (bits - 1);
        let count = 0;
        const codes = Uint8Array.from({ length: rows * columns }, () => {
          const code = random(3) === 0 ? lowest + step * random(2 ** width) : zero;
          if (code !== zero) count++;
          return code;
        });
        const bytes = packBlocks(codes, { ...layout, padCode: zero });
        const { packed, decoded } = await roundTrip([{ bytes, nature: { kind: 'codes', layout } }]);
        expect(decoded).toEqual(bytes);
        if (columns !== 70 || width < 3) continue;
        expect(packed[0]!.encoding.kind).toBe('sparse');
        // Planes of 3 and 5 bits are two, each filled up to whole bytes; a byte tells the lowest.
        expect(packed[0]!.payload.length - Math.ceil((rows * columns + width * count) / 8)).toBeLessThanOrEqual(3);
      }
    },
  );

  it('takes a mask for 16-bit floats that are mostly 0', async () => {
    const random = generator(13);
    for (const count of [16, 37, 4096]) {
      const values = Float16Array.from({ length: count }, (_, index) => (index % 3 === 0 ? random(1000) / 77 - 6 : 0));
      const bytes = new Uint8Array(values.buffer);
      const { packed, decoded } = await roundTrip([{ bytes, nature: { kind: 'halves', rows: 1, columns: count } }]);
      expect(decoded).toEqual(bytes);
      if (count < 4096) continue;
      expect(packed[0]!.encoding.kind).toBe('sparseHalves');
      expect(packed[0]!.payload.length).toBeLessThan(count / 8 + (2 * count) / 3);
    }
  });

  it('packs the exponents of 16-bit floats, whatever their bits', async () => {
    const random = generator(7);
    const scales = Float16Array.from({ length: 4096 }, () => (random(2) === 0 ? -1 : 1) * (0.01 + random(1000) / 5e4));
    const scaleBytes = new Uint8Array(scales.buffer);
    const anything = Uint8Array.from({ length: 512 }, () => random(256));
    const nature = (rows: number, columns: number): TensorNature => ({ kind: 'halves', rows, columns });
    const { packed, decoded } = await roundTrip([
      { bytes: scaleBytes, nature: nature(128, 32) },
      { bytes: anything, nature: nature(16, 16) },
    ]);
    expect(decoded).toEqual(new Uint8Array(Buffer.concat([scaleBytes, anything])));
    expect(packed[0]!.encoding).toMatchObject({ kind: 'halves', rows: 128, columns: 32 });
    expect(packed[0]!.payload.length).toBeLessThan(0.8 * scaleBytes.length);
    expect(packed[1]!.payload.length).toBeLessThanOrEqual(anything.length);
  });

  it('packs nothing into nothing', async () => {
    const layout: BlockLayout = { rows: 0, columns: 32, blockSize: 32, bits: 4 };
    expect((await roundTrip([{ bytes: new Uint8Array(), nature: { kind: 'codes', layout } }])).decoded).toHaveLength(0);
  });
});
