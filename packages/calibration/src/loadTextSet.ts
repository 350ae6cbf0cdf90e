import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CompressionError } from '@quern/core';
import { type DataSetManifest, readDataSetManifest } from './dataSetManifest.ts';
import { listTextSets } from './listTextSets.ts';
import { readTextFile, type TextFile } from './readTextFile.ts';
import { splitDocuments } from './splitDocuments.ts';
import type { TextPart, TextSet } from './textSet.ts';

/**
 * Loads the documents of a set's part, or of any text file.
 *
 * A name of a set comes first; a file of that name is reached as `./name`. A file has one part only, used whatever `part`
 * says: plain text, or JSON lines when it ends in `.jsonl`, either gzipped.
 *
 * @param calibDataFolder where the sets are, one folder each.
 * @throws `INVALID_DATA_SET` for a name that is neither, for a set whose file is not what its manifest says, and for text
 * that cannot be read.
 */
export async function loadTextSet(setOrPath: string, part: TextPart, calibDataFolder: string): Promise<TextSet> {
  const couldBeSet = basename(setOrPath) === setOrPath;
  const manifest = couldBeSet ? await readDataSetManifest(join(calibDataFolder, setOrPath)) : null;
  if (manifest) return loadPart(manifest, part, calibDataFolder);
  if (!(await stat(setOrPath).catch(() => null))) {
    const known = (await listTextSets(calibDataFolder)).map(set => set.id);
    throw new CompressionError(
      'INVALID_DATA_SET',
      `"${setOrPath}" is neither a text set nor a file. Sets: ${known.join(', ') || 'none'}. Name one of them, or a .txt or .jsonl file.`,
      { setOrPath, known },
    );
  }
  const file = await readTextFile(setOrPath);
  const id = basename(setOrPath);
  return {
    id,
    path: setOrPath,
    sha256: file.sha256,
    licence: null,
    sources: [{ id, sha256: file.sha256 }],
    documents: splitDocuments(file.content, id),
  };
}

async function loadPart(manifest: DataSetManifest, part: TextPart, calibDataFolder: string): Promise<TextSet> {
  const path = join(calibDataFolder, manifest.id, manifest.parts[part].file);
  const file = await readTextFile(path);
  const documents = splitDocuments(file.content, basename(path));
  checkAgainstManifest(manifest, part, file, documents.length);
  const { id, licence, commit } = manifest;
  const revision = typeof commit === 'string' ? { revision: commit } : {};
  return {
    id,
    path,
    sha256: file.sha256,
    licence,
    sources: [{ id, sha256: file.sha256, ...revision }],
    documents,
  };
}

function checkAgainstManifest(manifest: DataSetManifest, part: TextPart, file: TextFile, documents: number): void {
  const actual = { bytes: file.bytes, sha256: file.sha256, documents };
  for (const key of ['bytes', 'sha256', 'documents'] as const) {
    const expected = manifest.parts[part][key];
    if (actual[key] === expected) continue;
    throw new CompressionError(
      'INVALID_DATA_SET',
      `The ${part} part of the set "${manifest.id}" has ${key} ${actual[key]}, its manifest says ${expected}. Restore the file, or use it by its path.`,
      { set: manifest.id, part, key, actual: actual[key], expected },
    );
  }
}
