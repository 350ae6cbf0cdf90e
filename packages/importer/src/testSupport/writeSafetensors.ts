import { writeFile } from 'node:fs/promises';

export interface TensorBytes {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** Writes a safetensors file with its tensors in the given order. */
export async function writeSafetensors(path: string, tensors: readonly TensorBytes[]): Promise<void> {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let end = 0;
  for (const { name, dtype, shape, bytes } of tensors) {
    header[name] = { dtype, shape, data_offsets: [end, end + bytes.length] };
    end += bytes.length;
  }
  await writeRawSafetensors(path, JSON.stringify(header), Buffer.concat(tensors.map(tensor => tensor.bytes)));
}

/** Writes a safetensors file whose header is any text at all. */
export async function writeRawSafetensors(path: string, header: string, data: Uint8Array): Promise<void> {
  const text = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  await writeFile(path, Buffer.concat([length, text, data]));
}
