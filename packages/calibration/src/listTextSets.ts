import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type DataSetManifest, readDataSetManifest } from './dataSetManifest.ts';

/**
 * The sets that are there, by name: every folder with a manifest. Their texts are not read.
 *
 * @param calibDataFolder one folder a set; no set when it does not exist.
 * @throws `INVALID_DATA_SET` for a manifest that cannot be used.
 */
export async function listTextSets(calibDataFolder: string): Promise<DataSetManifest[]> {
  const names = await readdir(calibDataFolder).catch(() => []);
  const manifests = await Promise.all(names.sort().map(name => readDataSetManifest(join(calibDataFolder, name))));
  return manifests.filter(manifest => manifest !== null);
}
