import { PackedFileError } from './packedFileError.ts';

/** Takes values off an index, one after the other. Every method throws CORRUPT_INDEX past the end. */
export interface IndexReader {
  byte(): number;
  u32(): number;
  /** LEB128, at most 2^53 - 1. */
  varint(): number;
  /** Length, then UTF-8. */
  text(): string;
  /** Bytes that were not taken yet. */
  left(): number;
}

/** Reads from the beginning of `bytes`. */
export function indexReader(bytes: Uint8Array): IndexReader {
  let at = 0;
  const take = (count: number): number => {
    if (at + count > bytes.length) throw corrupt('ends too early');
    at += count;
    return at - count;
  };
  const byte = (): number => bytes[take(1)]!;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const part = byte();
      value += (part & 127) * scale;
      if (!Number.isSafeInteger(value)) throw corrupt('holds a number beyond 2^53');
      if (part < 128) return value;
    }
  };
  return {
    byte,
    varint,
    u32: () => new DataView(bytes.buffer, bytes.byteOffset).getUint32(take(4), true),
    text() {
      const length = varint();
      const start = take(length);
      try {
        return new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(start, start + length));
      } catch {
        throw corrupt('holds a name that is not UTF-8');
      }
    },
    left: () => bytes.length - at,
  };
}

function corrupt(problem: string): PackedFileError {
  return new PackedFileError('CORRUPT_INDEX', `The index of the packed file ${problem}. Fetch the file again.`);
}
