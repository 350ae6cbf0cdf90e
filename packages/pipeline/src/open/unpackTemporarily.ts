import { copyFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { exitFolder } from './exitFolder.ts';
import { writeDataFiles } from './writeDataFiles.ts';

/**
 * Puts a graph and its unpacked data files into a folder of their own and returns the graph there. The folder stays until the
 * process ends.
 *
 * Errors: those of `writeDataFiles`.
 */
export async function unpackTemporarily(graph: string, packed: string): Promise<string> {
  const folder = await exitFolder('unpacked');
  await writeDataFiles(packed, folder);
  const copy = join(folder, basename(graph));
  await copyFile(graph, copy);
  return copy;
}
