import { lstat, readFile, rm, rmdir } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { REPORT_FILE, RESULTS_FILE, readComparison } from '../compare/readComparison.ts';

const MANIFEST = 'quern.json';

/**
 * Removes what an earlier run wrote into a folder, as its quern.json lists it, but for the files in `kept`: a graph or
 * genai_config.json of another layout would be opened in place of the new one. An earlier comparison goes too. Other files stay.
 */
export async function removeStale(folder: string, kept: readonly string[]): Promise<void> {
  const keeps = new Set(kept.map(path => join(folder, path)));
  for (const path of [...(await listManifest(folder)), ...(await listComparison(folder))]) {
    const file = resolve(folder, path);
    if (keeps.has(file) || !file.startsWith(folder + sep)) continue;
    const information = await lstat(file).catch(() => null);
    if (!information?.isFile()) continue;
    await rm(file, { force: true });
    const parent = dirname(file);
    if (parent !== folder) await rmdir(parent).catch(() => undefined); // not empty
  }
}

/** The paths that a manifest lists and its own, last, so that what a crash leaves is still listed; none when it cannot be read. */
async function listManifest(folder: string): Promise<string[]> {
  try {
    const { files } = JSON.parse(await readFile(join(folder, MANIFEST), 'utf8')) as { files?: unknown };
    if (!Array.isArray(files)) return [];
    const paths = files
      .map(file => (file as { path?: unknown } | null)?.path)
      .filter((path): path is string => typeof path === 'string');
    return [...paths, MANIFEST];
  } catch {
    return [];
  }
}

/** The files of a comparison, if one stands in the folder. */
async function listComparison(folder: string): Promise<string[]> {
  const comparison = await readComparison(folder).catch(() => null);
  return comparison ? [REPORT_FILE, RESULTS_FILE] : [];
}
