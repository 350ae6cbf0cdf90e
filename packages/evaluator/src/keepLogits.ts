import { open } from 'node:fs/promises';
import { CompressionError, type TokenWindow } from '@quern/core';
import { DataType, type OnnxModel } from '@quern/onnx';
import { findLogits } from '@quern/runtime';
import { Tensor } from 'onnxruntime-node';
import { openLogits } from './openLogits.ts';
import { type ScorerOptions, withoutLast } from './openScorer.ts';

/** A model's logits on a few windows, in a file: what variants of the model are measured against. A plain record, for threads. */
export interface KeptLogits {
  /** Logits of all windows, one after the other, as the graph gives them. */
  readonly file: string;
  /** A `DataType`: float32, or float16 as its bits. */
  readonly dataType: number;
  readonly vocabularySize: number;
  readonly windows: readonly TokenWindow[];
}

/**
 * Runs windows through a model one by one and writes the logits of all tokens but the last of each to a file.
 *
 * Errors: those of `openSession`. Cost: one forward pass; one window's logits in memory, 4 bytes for each of
 * tokens x vocabulary on disk.
 */
export async function keepLogits(
  model: OnnxModel,
  windows: readonly TokenWindow[],
  file: string,
  options: ScorerOptions,
): Promise<KeptLogits> {
  const source = await openLogits(model, options);
  const target = await open(file, 'w');
  let vocabularySize = 0;
  try {
    for (const { ids } of windows) {
      const logits = await source.run(withoutLast([ids]));
      vocabularySize = logits.dims.at(-1)!;
      await target.writeFile(bytesOf(logits.data as LogitData));
      logits.dispose();
    }
  } finally {
    await target.close();
    await source.release();
  }
  return { file, dataType: findLogits(model).dataType, vocabularySize, windows };
}

/** The logits of one window, `[1, tokens, vocabulary]`. */
export async function readLogits(kept: KeptLogits, index: number): Promise<Tensor> {
  const { file, vocabularySize, windows } = kept;
  const sizes = windows.map(({ ids }) => (ids.length - 1) * vocabularySize);
  const isHalf = kept.dataType === DataType.FLOAT16;
  const data = isHalf ? new Uint16Array(sizes[index]!) : new Float32Array(sizes[index]!);
  const before = sizes.slice(0, index).reduce((sum, size) => sum + size, 0);
  const bytes = bytesOf(data);
  const source = await open(file, 'r');
  try {
    for (let done = 0; done < bytes.length; ) {
      const wanted = Math.min(bytes.length - done, 2 ** 30);
      const { bytesRead } = await source.read(bytes, done, wanted, before * data.BYTES_PER_ELEMENT + done);
      if (bytesRead === 0) throw new CompressionError('INTERNAL', `The kept logits in ${file} end early.`);
      done += bytesRead;
    }
  } finally {
    await source.close();
  }
  const dims = [1, windows[index]!.ids.length - 1, vocabularySize];
  return data instanceof Float32Array ? new Tensor('float32', data, dims) : new Tensor('float16', data, dims);
}

/** float16 as its bits. */
type LogitData = Float32Array | Uint16Array;

function bytesOf(data: LogitData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
