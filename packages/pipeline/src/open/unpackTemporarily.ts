import { rmSync } from 'node:fs';
import { copyFile, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { writeDataFiles } from './writeDataFiles.ts';

const folders: string[] = [];

function removeFolders(): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}

/**
 * Puts a graph and its unpacked data files into a folder of their own and returns the graph there. Sessions open weights by
 * their path, again and again, so the folder stays until the process ends.
 *
 * Errors: those of `writeDataFiles`.
 */
export async function unpackTemporarily(graph: string, packed: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'quern-unpacked-'));
  if (folders.length === 0) process.once('exit', removeFolders);
  folders.push(folder);
  await writeDataFiles(packed, folder);
  const copy = join(folder, basename(graph));
  await copyFile(graph, copy);
  return copy;
}
