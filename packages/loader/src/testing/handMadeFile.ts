import { checksum } from '../checksum.ts';

/** A tensor of a packed file put together by hand. */
export interface HandMadeTensor {
  /** The entry in the index without gap and checksum. */
  readonly entry: readonly number[];
  readonly gap?: number;
  readonly payload: Uint8Array;
  /** What it decodes to. */
  readonly content: Uint8Array;
}

export interface HandMadeFile {
  readonly path: string;
  readonly bytes: number;
  readonly tensors: readonly HandMadeTensor[];
}

/** LEB128. */
export function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return [...bytes, rest];
}

/** A tensor stored as it is. */
export function rawTensor(content: Uint8Array, gap = 0): HandMadeTensor {
  return { entry: [0, ...varint(content.length)], gap, payload: content, content };
}

/** Header, then the index with its right length and checksum, then payloads. */
export function fileOf(index: readonly number[], payload: Uint8Array = new Uint8Array()): Uint8Array {
  const bytes = new Uint8Array(16 + index.length + payload.length);
  bytes.set([...new TextEncoder().encode('QUERN'), 0x1a, 1, 0]);
  bytes.set(index, 16);
  bytes.set(payload, 16 + index.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(8, index.length, true);
  view.setUint32(12, checksum(Uint8Array.from(index)), true);
  return bytes;
}

/** The index of data files; `ladders` are shape, first scale, count. */
export function indexOf(files: readonly HandMadeFile[], ladders: readonly (readonly number[])[] = []): number[] {
  const index = [ladders.length, ...ladders.flatMap(ladder => ladder.flatMap(varint)), files.length];
  for (const { path, bytes, tensors } of files) {
    const name = new TextEncoder().encode(path);
    index.push(...varint(name.length), ...name, ...varint(bytes), ...varint(tensors.length));
    for (const { entry, gap = 0, content } of tensors) {
      const sum = checksum(content);
      index.push(...varint(gap), ...entry, sum & 255, (sum >> 8) & 255, (sum >> 16) & 255, sum >>> 24);
    }
  }
  return index;
}

/** A whole packed file. */
export function handMadeFile(files: readonly HandMadeFile[], ladders: readonly (readonly number[])[] = []): Uint8Array {
  const payloads = files.flatMap(({ tensors }) => tensors.map(tensor => tensor.payload));
  return fileOf(indexOf(files, ladders), new Uint8Array(Buffer.concat(payloads)));
}
