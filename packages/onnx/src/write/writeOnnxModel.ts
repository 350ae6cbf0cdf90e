import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CompressionError } from '@quern/core';
import { modelTensors } from '../modelTensors.ts';
import type { OnnxModel } from '../onnxModel.ts';
import { serializeModel } from './serializeModel.ts';

/** Protobuf's limit for one message. */
const LARGEST_HEADER = 2 ** 31 - 1;

/**
 * Writes a model's header under a temporary name and renames it, and makes its folder. External data must stand beside it
 * already.
 *
 * @returns the header's bytes.
 * @throws CompressionError UNSUPPORTED_MODEL when the header would pass protobuf's 2 GiB, WRITE_FAILED.
 */
export async function writeOnnxModel(model: OnnxModel, path: string): Promise<number> {
  const inlineBytes = modelTensors(model.proto).reduce((sum, { rawData }) => sum + rawData.length, 0);
  if (inlineBytes > LARGEST_HEADER) throw tooLarge(path, inlineBytes);
  const bytes = serializeModel(model);
  if (bytes.length > LARGEST_HEADER) throw tooLarge(path, bytes.length);
  const partial = `${path}.partial`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(partial, bytes);
    await rename(partial, path);
  } catch (cause) {
    await rm(partial, { force: true }).catch(() => undefined);
    const detail = cause instanceof Error ? cause.message : String(cause);
    const message = `Cannot write ${path}: ${detail}. Check free space and permissions.`;
    throw new CompressionError('WRITE_FAILED', message, { path }, { cause });
  }
  return bytes.length;
}

function tooLarge(path: string, bytes: number): CompressionError {
  const message = `${path} would take ${bytes} bytes; protobuf's limit is ${LARGEST_HEADER}. Move its weights to external data.`;
  return new CompressionError('UNSUPPORTED_MODEL', message, { path, bytes, limit: LARGEST_HEADER });
}
