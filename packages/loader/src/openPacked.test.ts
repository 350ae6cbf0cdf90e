import { countCodes, encodeCodes, fitCodeTables, packPlanes, packSparse } from '@quern/coder';
import { describe, expect, it } from 'vitest';
import { openPacked } from './openPacked.ts';
import { PackedFileError } from './packedFileError.ts';
import { fileOf, type HandMadeTensor, handMadeFile, indexOf, rawTensor, varint } from './testing/handMadeFile.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const text = (value: string): number[] => [...new TextEncoder().encode(value)];

async function codeOf(attempt: Promise<unknown>): Promise<string> {
  const error = await attempt.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(PackedFileError);
  return (error as PackedFileError).code;
}

/** 5 rows of 35 codes of 3 bits in nibbles, in blocks of 16: 13 codes of padding. */
const LAYOUT = { rows: 5, columns: 35, blockSize: 16, bits: 4, padCode: 8 } as const;
const CODES = Uint8Array.from({ length: 5 * 24 }, (_, index) => {
  const code = (position: number): number => (position % 48 < 35 ? 4 + ((position * 5) % 8) : 8);
  return code(2 * index) | (code(2 * index + 1) << 4);
});
const TABLES = fitCodeTables([countCodes(CODES, LAYOUT)], { maximum: 4 });
const LADDERS = TABLES.ladders.map(({ shape, firstScale, count }) => [shape, firstScale, count]);
const layoutEntry = [5, 35, 16, 4, 8];
const planes: HandMadeTensor = {
  entry: [1, ...layoutEntry, 3],
  payload: packPlanes(CODES, LAYOUT, 3),
  content: CODES,
};
const coded = encodeCodes(CODES, LAYOUT, TABLES);
const rans: HandMadeTensor = { entry: [2, ...layoutEntry, ...varint(coded.length)], payload: coded, content: CODES };
/** Every third code is another one. */
const MOSTLY = Uint8Array.from({ length: 5 * 24 }, (_, index) => {
  const code = (position: number): number => (position % 48 < 35 && position % 3 === 0 ? 1 + 2 * (position % 8) : 8);
  return code(2 * index) | (code(2 * index + 1) << 4);
});
const masked = packSparse(MOSTLY, LAYOUT);
const { zero, lowest, step, width, count } = masked.format;
const sparse: HandMadeTensor = {
  entry: [4, ...layoutEntry, zero, lowest, step, width, count],
  payload: masked.payload,
  content: MOSTLY,
};
/** The halves 0, 1, 0, 0, 0, 1.5: a mask, no planes, the upper bytes of 0x3c00 and 0x3e00 turned left as codes around 128. */
const upper = encodeCodes(bytes(128, 132), { rows: 2, columns: 1, blockSize: 1, bits: 8, padCode: 0 }, TABLES);
const sparseHalves: HandMadeTensor = {
  entry: [5, 6, 2, 1, 0x78, 0, ...varint(1 + upper.length)],
  payload: bytes(0b100010, ...upper),
  content: bytes(0, 0, 0, 0x3c, 0, 0, 0, 0, 0, 0, 0, 0x3e),
};

describe('openPacked', () => {
  it('gives back every byte of every data file, gaps included', async () => {
    const first = rawTensor(bytes(1, 2, 3));
    const second = rawTensor(bytes(9, 8), 61);
    const packed = await openPacked(
      handMadeFile(
        [
          { path: 'a.onnx_data', bytes: 70, tensors: [first, second] },
          { path: 'a.onnx_data_1', bytes: 372, tensors: [planes, rans, sparse, sparseHalves] },
          { path: 'empty', bytes: 0, tensors: [] },
        ],
        LADDERS,
      ),
    );
    expect(packed.dataFiles.map(file => [file.path, file.bytes])).toEqual([
      ['a.onnx_data', 70],
      ['a.onnx_data_1', 372],
      ['empty', 0],
    ]);
    const expected = new Uint8Array(70);
    expected.set([1, 2, 3]);
    expected.set([9, 8], 64);
    expect(await packed.decodeFile('a.onnx_data')).toEqual(expected);
    expect(await packed.decodeFile('a.onnx_data_1')).toEqual(
      bytes(...CODES, ...CODES, ...MOSTLY, ...sparseHalves.content),
    );
    expect(await packed.decodeFile('empty')).toEqual(new Uint8Array());
    const pieces: Uint8Array[] = [];
    for await (const piece of packed.streamFile('a.onnx_data')) pieces.push(piece);
    expect(bytes(...pieces.flatMap(piece => [...piece]))).toEqual(expected);
    expect(await codeOf(packed.decodeFile('b'))).toBe('NO_SUCH_FILE');
  });

  it('reports progress and stops between tensors', async () => {
    const file = {
      path: 'd',
      bytes: 6,
      tensors: [rawTensor(bytes(1, 2)), rawTensor(bytes(3, 4)), rawTensor(bytes(5, 6))],
    };
    const packed = await openPacked(new Blob([handMadeFile([file]) as Uint8Array<ArrayBuffer>]));
    const seen: number[] = [];
    await packed.decodeFile('d', { onProgress: ({ loaded, total }) => seen.push(loaded, total) });
    expect(seen).toEqual([2, 6, 4, 6, 6, 6, 6, 6]);
    const controller = new AbortController();
    const stopped = packed.decodeFile('d', { signal: controller.signal, onProgress: () => controller.abort() });
    await expect(stopped).rejects.toThrow(/abort/i);
  });

  it('refuses what is no packed file, or of a later format', async () => {
    expect(await codeOf(openPacked(bytes(1, 2, 3)))).toBe('NOT_PACKED');
    expect(await codeOf(openPacked(bytes(...text('<!doctype html><title>no such file</title>'))))).toBe('NOT_PACKED');
    const later = handMadeFile([]);
    later[6] = 2;
    expect(await codeOf(openPacked(later))).toBe('UNSUPPORTED_VERSION');
  });

  const index = (path: string, size: number, ...tensors: HandMadeTensor[]) => indexOf([{ path, bytes: size, tensors }]);
  const raw = rawTensor(bytes(1, 2, 3, 4));
  const withEntry = (...entry: number[]): HandMadeTensor => ({ entry, payload: bytes(), content: bytes() });
  it.each([
    ['a name with a folder', index('onnx/data', 4, raw)],
    ['a name with a Windows folder', index('onnx\\data', 4, raw)],
    ['a name that leads out', index('..', 4, raw)],
    ['a hidden name', index('.quern-run', 4, raw)],
    ['an empty name', index('', 4, raw)],
    ['a name with a zero', index('a\0b', 4, raw)],
    ['a name that is not UTF-8', [0, 1, 2, 0xc3, 0x28, 0, 0]],
    ['the same name twice', indexOf([1, 2].map(() => ({ path: 'd', bytes: 0, tensors: [] })))],
    ['a tensor past the end of its file', index('d', 3, raw)],
    ['a large gap before a tensor', index('d', 8000, { ...raw, gap: 4096 })],
    ['a large gap at the end', index('d', 4104, raw)],
    ['a data file of petabytes', index('d', 1e15)],
    ['a number beyond 2^53', [0, 1, 1, 100, ...Array(9).fill(255), 1]],
    ['an unknown encoding', index('d', 4, withEntry(9, 4))],
    ['codes of 3 bits', index('d', 4, withEntry(1, 1, 16, 16, 3, 0, 1))],
    ['blocks of no size', index('d', 4, withEntry(1, 1, 16, 0, 4, 0, 1))],
    ['padding wider than its container', index('d', 4, withEntry(1, 1, 16, 16, 4, 16, 1))],
    ['planes wider than their container', index('d', 4, withEntry(1, 1, 16, 16, 4, 0, 5))],
    ['planes of no width', index('d', 4, withEntry(1, 1, 16, 16, 4, 0, 0))],
    ['a matrix of exabytes', index('d', 4, withEntry(2, ...varint(2 ** 50), ...varint(2 ** 50), 16, 4, 0, 1))],
    ['a payload that dwarfs its tensor', index('d', 4, withEntry(2, 1, 8, 8, 4, 0, ...varint(2 ** 40)))],
    ['halves in fewer bytes than their lower halves', index('d', 4, withEntry(3, 1, 2, 60, 8, 1))],
    ['more sparse codes than places', index('d', 4, withEntry(4, 1, 8, 8, 4, 0, 8, 0, 1, 4, 9))],
    ['sparse codes without a step', index('d', 4, withEntry(4, 1, 8, 8, 4, 0, 8, 0, 0, 4, 2))],
    ['a zero wider than its container', index('d', 4, withEntry(4, 1, 8, 8, 4, 0, 16, 0, 1, 4, 2))],
    ['more sparse halves than halves', index('d', 4, withEntry(5, 2, 3, 1, 60, 1, 9))],
    ['sparse halves in fewer bytes than their mask', index('d', 4, withEntry(5, 2, 1, 1, 60, 8, 2))],
    ['too many code tables', [65]],
    ['too many data files', [0, 101]],
    ['more bytes than entries', [...index('d', 4, raw), 0]],
    ['fewer bytes than entries', index('d', 4, raw).slice(0, -1)],
  ])('refuses an index with %s', async (_, broken) => {
    expect(await codeOf(openPacked(fileOf(broken, new Uint8Array(4))))).toBe('CORRUPT_INDEX');
  });

  const whole = handMadeFile([{ path: 'd', bytes: 376, tensors: [raw, planes, rans, sparse, sparseHalves] }], LADDERS);
  it('refuses a file that was cut off anywhere, or has something behind it', async () => {
    for (let length = 16; length < whole.length; length++) {
      expect(await codeOf(openPacked(whole.subarray(0, length))), `cut at ${length}`).toBe('TRUNCATED');
    }
    expect(await codeOf(openPacked(bytes(...whole, 0)))).toBe('CORRUPT_INDEX');
  });

  it('refuses a file in which any bit is another, unless that bit fills a byte up', async () => {
    const intact = await (await openPacked(whole)).decodeFile('d');
    let accepted = 0;
    for (let bit = 0; bit < 8 * whole.length; bit++) {
      const broken = whole.slice();
      broken[bit >> 3]! ^= 1 << (bit & 7);
      const decoded = await openPacked(broken)
        .then(packed => packed.decodeFile('d'))
        .catch((error: unknown) => error);
      if (decoded instanceof PackedFileError) continue;
      expect(decoded).toEqual(intact);
      accepted++;
    }
    // 175 codes leave two bits of one plane's last byte and one of the other's, and one of a mask; 6 halves two of theirs; 60 values of
    // 3 bits none of one plane's and four of the other's.
    expect(accepted).toBeLessThanOrEqual(3 + 1 + 2 + 4);
  });

  it('stays in bounds for indexes with a right checksum and random content', async () => {
    const start = indexOf([{ path: 'd', bytes: 376, tensors: [raw, planes, rans, sparse, sparseHalves] }], LADDERS);
    const payload = whole.subarray(16 + start.length);
    let seed = 1;
    const random = (limit: number): number => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return (seed >>> 8) % limit;
    };
    let refused = 0;
    for (let round = 0; round < 3000; round++) {
      const index = start.slice();
      for (let change = 0; change <= random(3); change++) index[random(index.length)] = random(256);
      const error = await openPacked(fileOf(index, payload))
        .then(packed => packed.decodeFile(packed.dataFiles[0]?.path ?? ''))
        .then(() => null)
        .catch((reason: unknown) => reason);
      if (error === null) continue;
      refused++;
      expect(error).toBeInstanceOf(PackedFileError);
    }
    expect(refused).toBeGreaterThan(2000);
  });
});

it('decodes halves: turned left by one bit, lower bytes plain, upper ones around their centre', async () => {
  // 1.0, -1.0, 0.5, -2.0 and their neighbours: 0x3c00 turned is 0x7800.
  const words = [0x3c00, 0xbc00, 0x3800, 0xc000, 0x3c01, 0xbc01, 0x3802, 0xc003];
  const turned = [0x7800, 0x7801, 0x7000, 0x8001, 0x7802, 0x7803, 0x7004, 0x8007];
  const upper = Uint8Array.from(turned, word => (word >> 8) - 0x78 + 128);
  const layout = { rows: 2, columns: 4, blockSize: 4, bits: 8, padCode: 0 } as const;
  const tables = fitCodeTables([countCodes(upper, layout)], { maximum: 1 });
  const stream = encodeCodes(upper, layout, tables);
  // Planes of 8 bits: the lowest byte, which is 0, then all bytes.
  const payload = bytes(0, ...turned.map(word => word & 255), ...stream);
  const content = bytes(...words.flatMap(word => [word & 255, word >> 8]));
  const tensor = { entry: [3, 2, 4, 0x78, 8, ...varint(payload.length)], payload, content };
  const ladders = tables.ladders.map(({ shape, firstScale, count }) => [shape, firstScale, count]);
  const packed = await openPacked(handMadeFile([{ path: 'd', bytes: 16, tensors: [tensor] }], ladders));
  expect(await packed.decodeFile('d')).toEqual(content);
});
