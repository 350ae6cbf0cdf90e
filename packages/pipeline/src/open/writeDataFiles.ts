import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { listenForInterrupt } from '../interruption.ts';
import { asPackedFailure, openPackedFile } from './openPackedFile.ts';

/** How far the unpacking is, in bytes. */
export type UnpackProgress = (done: number, total: number) => void;

/**
 * Writes the data files of a packed file into a folder, one tensor after the other; returns their names. What was not finished is
 * removed.
 *
 * Errors: INVALID_EXTERNAL_DATA; INTERRUPTED; those of the operating system.
 */
export async function writeDataFiles(
  packedPath: string,
  folder: string,
  options: { readonly onProgress?: UnpackProgress; readonly signal?: AbortSignal | undefined } = {},
): Promise<string[]> {
  const packed = await openPackedFile(packedPath);
  const total = packed.dataFiles.reduce((sum, file) => sum + file.bytes, 0);
  let done = 0;
  try {
    for (const { path } of packed.dataFiles) {
      const target = join(folder, path);
      const file = await open(target, 'wx');
      try {
        for await (const piece of packed.streamFile(path)) {
          await listenForInterrupt(options.signal);
          await file.writeFile(piece);
          done += piece.length;
          options.onProgress?.(done, total);
        }
      } catch (error) {
        await rm(target, { force: true });
        throw asPackedFailure(error, packedPath);
      } finally {
        await file.close();
      }
    }
    return packed.dataFiles.map(file => file.path);
  } finally {
    await packed.close();
  }
}
