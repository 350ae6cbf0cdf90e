import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { CompressionError } from '@quern/core';
import { type ModelProto, ModelProtoSchema } from '../generated/onnx_pb.js';
import { modelTensors } from '../modelTensors.ts';
import type { OnnxModel } from '../onnxModel.ts';
import { externalRange } from './externalRange.ts';
import { referInlineTensors } from './referInlineTensors.ts';
import { checkInlineTensor, isExternal } from './tensorSize.ts';

/** Protobuf's limit for one message; ONNX Runtime refuses larger headers too. */
const LARGEST_HEADER = 2 ** 31 - 1;

/** How a file is read. */
export interface ReadOptions {
  /**
   * What becomes of large tensors inside the header: `keep` them in memory, or `refer` to their place in the file, which
   * must then stay where it is. `keep` unless given.
   */
  readonly inlineTensors?: 'keep' | 'refer';
}

/**
 * Reads the header of an ONNX file and checks it as untrusted input: every tensor's shape against its bytes, every
 * location of external data against the folder and the file's size. External data is not read.
 *
 * @throws CompressionError MODEL_NOT_FOUND, INVALID_ONNX, INVALID_EXTERNAL_DATA.
 * Cost: the file's bytes in memory, shared by the tensors inside the header; with `refer` only while reading.
 */
export async function readOnnxModel(path: string, options: ReadOptions = {}): Promise<OnnxModel> {
  const bytes = await readHeader(path);
  const proto = decode(bytes, path);
  const model: OnnxModel = { proto, folder: dirname(resolve(path)) };
  if (!proto.graph) throw invalid(path, 'holds no graph');
  if (proto.irVersion <= 0n) throw invalid(path, `has the IR version ${proto.irVersion}`);
  if (proto.graph.node.some(node => node.opType === '')) throw invalid(path, 'holds a node without an operator');
  for (const tensor of modelTensors(proto)) {
    if (isExternal(tensor)) await externalRange(model.folder, tensor);
    else checkInlineTensor(tensor);
  }
  if (options.inlineTensors !== 'refer') return model;
  return { proto: referInlineTensors(proto, bytes, basename(path)), folder: model.folder };
}

async function readHeader(path: string): Promise<Uint8Array> {
  let size: number;
  try {
    const file = await stat(path);
    if (!file.isFile()) throw invalid(path, 'is not a plain file');
    size = file.size;
  } catch (cause) {
    if (cause instanceof CompressionError) throw cause;
    throw new CompressionError('MODEL_NOT_FOUND', `No model at ${path}. Check the path.`, { path }, { cause });
  }
  if (size === 0) throw invalid(path, 'is empty');
  if (size > LARGEST_HEADER) throw invalid(path, `has ${size} bytes, more than protobuf's ${LARGEST_HEADER}`);
  // A plain Uint8Array: views of a Buffer would be Buffers, whose `slice` shares memory.
  const { buffer, byteOffset, byteLength } = await readFile(path);
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function decode(bytes: Uint8Array, path: string): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, bytes);
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    const problem = detail.includes('recursion')
      ? 'nests sub-graphs deeper than protobuf allows (100 messages)'
      : `cannot be decoded (${detail})`;
    throw invalid(path, problem, cause);
  }
}

function invalid(path: string, problem: string, cause?: unknown): CompressionError {
  const message = `${path} ${problem}. It is not a valid ONNX file: download or export it again.`;
  return new CompressionError('INVALID_ONNX', message, { path }, { cause });
}
