import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import type { NamedTensors, PlainTensor } from '@quern/runtime';
import { asWriteFailure } from '../output/asWriteFailure.ts';

/** What one chunk of windows looks like between two blocks. */
export interface HiddenStates {
  read(chunk: number): Promise<NamedTensors>;
  /** Replaces what the chunk held before. */
  write(chunk: number, tensors: NamedTensors): Promise<void>;
  close(): Promise<void>;
}

/** Bytes of hidden states that stay in memory. */
const MEMORY_LIMIT = 256e6;

/**
 * Holds hidden states in memory up to `memoryLimit` bytes, 256 MB unless given; chunks beyond it go to files in `folder`, one a chunk.
 * Errors: WRITE_FAILED. Cost on disk: one block's hidden states, tokens x hidden size x 4 bytes.
 */
export function createHiddenStates(folder: string, memoryLimit: number = MEMORY_LIMIT): HiddenStates {
  const kept = new Map<number, NamedTensors>();
  let keptBytes = 0;
  const path = (chunk: number): string => join(folder, `chunk-${chunk}`);
  return {
    async read(chunk) {
      return kept.get(chunk) ?? (deserialize(await readFile(path(chunk))) as NamedTensors);
    },
    async write(chunk, tensors) {
      const previous = kept.get(chunk);
      if (previous) keptBytes -= byteLength(previous);
      kept.delete(chunk);
      const bytes = byteLength(tensors);
      if (keptBytes + bytes <= memoryLimit) {
        kept.set(chunk, tensors);
        keptBytes += bytes;
        return;
      }
      try {
        await mkdir(folder, { recursive: true });
        await writeFile(path(chunk), serialize(tensors));
      } catch (error) {
        const place = `hidden states into ${folder} (below --out, or where the environment's TMPDIR says)`;
        throw asWriteFailure(error, folder, place);
      }
    },
    async close() {
      kept.clear();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Of all tensors together. */
export function byteLength(tensors: NamedTensors): number {
  return Object.values(tensors).reduce((sum, tensor: PlainTensor) => sum + tensor.data.byteLength, 0);
}
