import { type FileHandle, open, realpath, stat } from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { CompressionError } from '@quern/core';
import type { TensorProto } from '../generated/onnx_pb.js';
import { tensorSize } from './tensorSize.ts';

/** Where a tensor's bytes lie, checked: inside the folder, inside the file, of the size that the header claims. */
export interface ExternalRange {
  /** Absolute path with links resolved. */
  readonly path: string;
  readonly offset: number;
  readonly length: number;
}

/**
 * Resolves a tensor's external data.
 *
 * A location may not leave the model's folder, neither by its text nor through a link: an ONNX file is untrusted input,
 * and ONNX Runtime refuses such locations too.
 *
 * @throws CompressionError INVALID_EXTERNAL_DATA when the entry cannot be read safely, INVALID_ONNX for a bad shape.
 */
export async function externalRange(folder: string, tensor: TensorProto): Promise<ExternalRange> {
  const { byteCount } = tensorSize(tensor);
  const entries = new Map(tensor.externalData.map(({ key, value }) => [key, value]));
  const location = entries.get('location') ?? '';
  const path = await insideFolder(folder, location, tensor.name);
  const file = await stat(path);
  if (!file.isFile()) throw refuse(tensor.name, location, 'is not a plain file');
  const offset = wholeNumber(entries.get('offset') ?? '0', 'offset', tensor.name, location);
  const claimed = entries.get('length');
  const length =
    claimed !== undefined ? wholeNumber(claimed, 'length', tensor.name, location) : (byteCount ?? file.size - offset);
  if (byteCount !== null && length !== byteCount) {
    throw refuse(tensor.name, location, `gives ${length} bytes, its shape and type take ${byteCount}`);
  }
  if (length < 0 || offset + length > file.size) {
    throw refuse(tensor.name, location, `ends at byte ${offset + length}, the file has ${file.size}`);
  }
  return { path, offset, length };
}

/** Opens a file and runs `use` on its handle, which is closed afterwards whatever happens. */
export async function withFile<Result>(path: string, use: (file: FileHandle) => Promise<Result>): Promise<Result> {
  const file = await open(path, 'r');
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

async function insideFolder(folder: string, location: string, tensorName: string): Promise<string> {
  if (location === '' || location.includes('\0')) throw refuse(tensorName, location, 'names no file');
  if (isAbsolute(location) || /^([a-zA-Z]:|[\\/])/.test(location)) {
    throw refuse(tensorName, location, "is absolute; it must lie in the model's folder");
  }
  const wanted = resolve(folder, location);
  if (leaves(resolve(folder), wanted)) throw refuse(tensorName, location, "leaves the model's folder");
  let actual: string;
  let actualFolder: string;
  try {
    [actual, actualFolder] = await Promise.all([realpath(wanted), realpath(folder)]);
  } catch (cause) {
    const message = `cannot be opened (${(cause as NodeJS.ErrnoException).code ?? 'unknown error'})`;
    throw refuse(tensorName, location, message, cause);
  }
  if (leaves(actualFolder, actual)) throw refuse(tensorName, location, "is a link that leaves the model's folder");
  return actual;
}

function leaves(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === '' || way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way);
}

function wholeNumber(text: string, key: string, tensorName: string, location: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw refuse(tensorName, location, `has the ${key} "${text}", which is no whole number of bytes`);
  }
  return value;
}

function refuse(tensor: string, location: string, problem: string, cause?: unknown): CompressionError {
  return new CompressionError(
    'INVALID_EXTERNAL_DATA',
    `The external data "${location}" of tensor "${tensor}" ${problem}. Put the file beside the model or export it again.`,
    { tensor, location },
    { cause },
  );
}
