import { lstat, readFile, rm, rmdir } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';

const MANIFEST = 'quern.json';

/**
 * Removes what an earlier run wrote into a folder, as its quern.json lists it, but for the files in `kept`: a graph or
 * genai_config.json of another layout would be opened in place of the new one. Files that no manifest lists stay.
 */
export async function removeStale(folder: string, kept: readonly string[]): Promise<void> {
  const listed = await readListed(join(folder, MANIFEST));
  if (listed === null) return;
  const keeps = new Set(kept.map(path => join(folder, path)));
  // The manifest goes last, so that what a crash leaves is still listed.
  for (const path of [...listed, MANIFEST]) {
    const file = resolve(folder, path);
    if (keeps.has(file) || !file.startsWith(folder + sep)) continue;
    const information = await lstat(file).catch(() => null);
    if (!information?.isFile()) continue;
    await rm(file, { force: true });
    const parent = dirname(file);
    if (parent !== folder) await rmdir(parent).catch(() => undefined); // not empty
  }
}

/** The paths that a manifest lists; null when there is none that can be read. */
async function readListed(manifest: string): Promise<string[] | null> {
  try {
    const { files } = JSON.parse(await readFile(manifest, 'utf8')) as { files?: unknown };
    if (!Array.isArray(files)) return null;
    return files
      .map(file => (file as { path?: unknown } | null)?.path)
      .filter((path): path is string => typeof path === 'string');
  } catch {
    return null;
  }
}
