import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { CompressionError } from '@quern/core';

/** Where one tensor lies in a safetensors file. */
export interface StoredTensor {
  readonly name: string;
  /** The format's own name: `F32`, `BF16`, ... */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** File name inside the checkpoint's folder. */
  readonly file: string;
  /** From the start of the file. */
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

/** The reference implementation's limit: a longer header is a wrong file or an attack on memory. */
const HEADER_LIMIT_BYTES = 100_000_000;
const LENGTH_FIELD_BYTES = 8;

const ELEMENT_BYTES: ReadonlyMap<string, number> = new Map([
  ['BOOL', 1],
  ['U8', 1],
  ['I8', 1],
  ['F8_E4M3', 1],
  ['F8_E5M2', 1],
  ['F8_E8M0', 1],
  ['I16', 2],
  ['U16', 2],
  ['F16', 2],
  ['BF16', 2],
  ['I32', 4],
  ['U32', 4],
  ['F32', 4],
  ['I64', 8],
  ['U64', 8],
  ['F64', 8],
]);

/**
 * Lists the tensors of a safetensors file, in the order in which they lie, without reading any weight.
 *
 * Source: the format's description at github.com/huggingface/safetensors. Gaps between tensors are allowed here.
 *
 * @param path the file
 * @returns one record a tensor; every byte range lies inside the file and belongs to one tensor only
 * @throws CompressionError `INVALID_SAFETENSORS` naming file, tensor, value and limit
 * Cost: one read of the header.
 */
export async function readSafetensorsHeader(path: string): Promise<StoredTensor[]> {
  const file = basename(path);
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    if (size < LENGTH_FIELD_BYTES) {
      throw invalid(file, `the file has ${size} bytes, too few for the 8-byte header length`, { size });
    }
    const lengthField = new Uint8Array(LENGTH_FIELD_BYTES);
    await handle.read(lengthField, 0, LENGTH_FIELD_BYTES, 0);
    const headerBytes = Number(new DataView(lengthField.buffer).getBigUint64(0, true));
    if (headerBytes > HEADER_LIMIT_BYTES) {
      throw invalid(file, `the header length reads ${headerBytes}, the limit is ${HEADER_LIMIT_BYTES}`, {
        headerBytes,
      });
    }
    const dataStart = LENGTH_FIELD_BYTES + headerBytes;
    if (dataStart > size) {
      throw invalid(file, `the header needs ${dataStart} bytes, the file has ${size}`, { headerBytes, size });
    }
    const header = new Uint8Array(headerBytes);
    await handle.read(header, 0, headerBytes, LENGTH_FIELD_BYTES);
    const tensors = parseHeader(header, file).map(entry => locate(entry, file, dataStart, size));
    return withoutOverlap(tensors);
  } finally {
    await handle.close();
  }
}

function parseHeader(header: Uint8Array, file: string): [string, unknown][] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(header));
  } catch (cause) {
    throw invalid(file, `the header is not JSON (${cause instanceof Error ? cause.message : String(cause)})`, {});
  }
  if (!isRecord(parsed)) throw invalid(file, 'the header is not a JSON object', {});
  return Object.entries(parsed).filter(([name]) => name !== '__metadata__');
}

function locate([name, entry]: [string, unknown], file: string, dataStart: number, size: number): StoredTensor {
  if (!isRecord(entry)) throw invalid(file, `tensor ${name} has no description`, { name });
  const { dtype, shape, data_offsets: offsets } = entry;
  const elementBytes = typeof dtype === 'string' ? ELEMENT_BYTES.get(dtype) : undefined;
  if (typeof dtype !== 'string' || elementBytes === undefined) {
    const known = [...ELEMENT_BYTES.keys()].join(', ');
    throw invalid(file, `tensor ${name} has dtype ${JSON.stringify(dtype)}, known are ${known}`, { name, dtype });
  }
  if (!isNaturalList(shape)) {
    throw invalid(file, `tensor ${name} has shape ${JSON.stringify(shape)}, wanted whole numbers`, { name, shape });
  }
  if (!isNaturalList(offsets) || offsets.length !== 2 || offsets[0]! > offsets[1]!) {
    const given = JSON.stringify(offsets);
    throw invalid(file, `tensor ${name} has data_offsets ${given}, wanted [begin, end]`, { name, offsets });
  }
  const [begin, end] = offsets as [number, number];
  const wanted = shape.reduce((product, length) => product * length, elementBytes);
  if (end - begin !== wanted) {
    const given = `${dtype} [${shape.join(', ')}] takes ${wanted} bytes but data_offsets cover ${end - begin}`;
    throw invalid(file, `tensor ${name}: ${given}`, { name, wanted, given: end - begin });
  }
  if (dataStart + end > size) {
    const text = `tensor ${name} ends at byte ${dataStart + end} but the file has ${size}: it is cut off`;
    throw invalid(file, text, { name, end: dataStart + end, size });
  }
  return { name, dtype, shape, file, offsetBytes: dataStart + begin, sizeBytes: wanted };
}

function withoutOverlap(tensors: readonly StoredTensor[]): StoredTensor[] {
  const ordered = tensors.toSorted((a, b) => a.offsetBytes - b.offsetBytes || a.sizeBytes - b.sizeBytes);
  for (let index = 1; index < ordered.length; index++) {
    const before = ordered[index - 1]!;
    const tensor = ordered[index]!;
    const end = before.offsetBytes + before.sizeBytes;
    if (tensor.offsetBytes < end) {
      const text = `tensor ${tensor.name} starts at byte ${tensor.offsetBytes}, inside ${before.name}, which ends at ${end}`;
      throw invalid(tensor.file, text, { name: tensor.name, start: tensor.offsetBytes, end });
    }
  }
  return ordered;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNaturalList(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(item => Number.isSafeInteger(item) && item >= 0);
}

function invalid(file: string, what: string, context: Record<string, unknown>): CompressionError {
  return new CompressionError('INVALID_SAFETENSORS', `${file}: ${what}. Download or convert the checkpoint again.`, {
    file,
    ...context,
  });
}
