import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { packedName } from '../output/packed/packedName.ts';
import { openPackedFile } from './openPackedFile.ts';

/**
 * The packed file that stands in for the data files of a graph; null where there is none, or where its data files are there too.
 *
 * Errors: those of `openPackedFile`.
 */
export async function packedBeside(graph: string): Promise<string | null> {
  const path = packedName(graph);
  if (path === graph || !(await isFile(path))) return null;
  const packed = await openPackedFile(path);
  await packed.close();
  const present = await Promise.all(packed.dataFiles.map(file => isFile(join(dirname(graph), file.path))));
  return present.includes(false) ? path : null;
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() ?? false;
}
