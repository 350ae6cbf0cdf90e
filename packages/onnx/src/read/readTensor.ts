import type { FileHandle } from 'node:fs/promises';
import { CompressionError } from '@quern/core';
import { DataType, dataTypeName } from '../dataType.ts';
import type { TensorProto } from '../generated/onnx_pb.js';
import type { OnnxModel } from '../onnxModel.ts';
import { externalRange, withFile } from './externalRange.ts';
import { checkInlineTensor, isExternal, tensorSize } from './tensorSize.ts';
import { typedFieldBytes } from './typedFieldBytes.ts';

/** A tensor's content: little-endian raw bytes in a buffer of their own. */
export interface TensorContent {
  readonly dims: number[];
  readonly dataType: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Reads a tensor's bytes from the header or from external data.
 *
 * @throws CompressionError INVALID_ONNX or INVALID_EXTERNAL_DATA when the claimed size is not there; nothing is allocated
 *   before the check. UNSUPPORTED_MODEL for strings.
 * Cost: one read; the tensor's bytes in memory.
 */
export async function readTensor(model: OnnxModel, tensor: TensorProto): Promise<TensorContent> {
  refuseStrings(tensor);
  const { dims } = tensorSize(tensor);
  const { dataType } = tensor;
  if (!isExternal(tensor)) {
    checkInlineTensor(tensor);
    const bytes = tensor.rawData.length > 0 ? new Uint8Array(tensor.rawData) : typedFieldBytes(tensor);
    return { dims, dataType, bytes };
  }
  const { path, offset, length } = await externalRange(model.folder, tensor);
  const bytes = await withFile(path, async file => {
    const buffer = new Uint8Array(length);
    await readFully(file, buffer, offset);
    return buffer;
  });
  return { dims, dataType, bytes };
}

const SLAB_BYTES = 8 * 2 ** 20;

/**
 * Reads a tensor's bytes in slabs of at most 8 MiB, each a multiple of 16 bytes but the last. A slab is valid until the
 * next one is asked for.
 *
 * @throws CompressionError as `readTensor`.
 */
export async function* streamTensor(model: OnnxModel, tensor: TensorProto): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  if (!isExternal(tensor)) {
    yield (await readTensor(model, tensor)).bytes;
    return;
  }
  refuseStrings(tensor);
  const { path, offset, length } = await externalRange(model.folder, tensor);
  const buffer = new Uint8Array(Math.min(length, SLAB_BYTES));
  const slabCount = Math.ceil(length / SLAB_BYTES);
  for (let slab = 0; slab < slabCount; slab++) {
    const start = slab * SLAB_BYTES;
    const part = buffer.subarray(0, Math.min(SLAB_BYTES, length - start));
    // Opened for each slab: a consumer that stops early leaves nothing open.
    await withFile(path, file => readFully(file, part, offset + start));
    yield part;
  }
}

function refuseStrings(tensor: TensorProto): void {
  if (tensor.dataType !== DataType.STRING) return;
  const message = `Tensor "${tensor.name}" holds ${dataTypeName(tensor.dataType)}, which has no bytes to read.`;
  throw new CompressionError('UNSUPPORTED_MODEL', message, { tensor: tensor.name });
}

async function readFully(file: FileHandle, target: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < target.length) {
    // One call moves less than 2 GiB.
    const wanted = Math.min(target.length - done, 2 ** 30);
    const { bytesRead } = await file.read(target, done, wanted, position + done);
    if (bytesRead === 0) {
      const message = `A weight file ended ${target.length - done} bytes early. It changed while it was read.`;
      throw new CompressionError('INVALID_EXTERNAL_DATA', message);
    }
    done += bytesRead;
  }
}
