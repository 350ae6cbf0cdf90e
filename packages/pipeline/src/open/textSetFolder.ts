import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { hubSettings, pulledTexts } from '@quern/calibration';
import { calibDataFolder } from './calibDataFolder.ts';

/** The folder in which a set of texts lies: that of the sets that come with Quern, unless only a pulled one has the name. */
export async function textSetFolder(name: string): Promise<string> {
  const own = calibDataFolder();
  if (basename(name) !== name) return own;
  const isThere = async (folder: string): Promise<boolean> =>
    (await stat(join(folder, name, 'manifest.json')).catch(() => null)) !== null;
  const pulled = pulledTexts(hubSettings());
  return !(await isThere(own)) && (await isThere(pulled)) ? pulled : own;
}
