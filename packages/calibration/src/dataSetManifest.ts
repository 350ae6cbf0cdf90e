import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CompressionError } from '@quern/core';
import type { TextPart } from './textSet.ts';

/** One file of a set and what it must be. */
export interface DataSetPart {
  /** In the set's folder. */
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly documents: number;
}

/** The `manifest.json` of a set's folder. */
export interface DataSetManifest {
  /** The folder's name. */
  readonly id: string;
  readonly title: string;
  /** BCP 47 tag, or the name of a programming language. */
  readonly language: string;
  readonly licence: string;
  readonly source: string;
  /** What a pulled set was made from. */
  readonly commit?: string;
  readonly parts: Readonly<Record<TextPart, DataSetPart>>;
}

/**
 * Reads and checks the manifest of a set.
 *
 * @returns null when the folder has none.
 * @throws `INVALID_DATA_SET` naming the field that is missing or wrong.
 */
export async function readDataSetManifest(folder: string): Promise<DataSetManifest | null> {
  const path = join(folder, 'manifest.json');
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw invalid(path, `cannot be read (${error.message})`);
  });
  if (text === null) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(path, `is not JSON (${(error as Error).message})`);
  }
  const manifest = value as DataSetManifest;
  for (const key of ['id', 'title', 'language', 'licence', 'source'] as const) {
    if (typeof manifest?.[key] !== 'string' || manifest[key] === '') throw invalid(path, `has no text in "${key}"`);
  }
  if (manifest.id !== basename(folder)) throw invalid(path, `has the id "${manifest.id}", not its folder's name`);
  for (const name of ['calibration', 'evaluation'] as const) checkPart(manifest.parts?.[name], name, path);
  return manifest;
}

function checkPart(part: DataSetPart | undefined, name: string, path: string): void {
  if (typeof part?.file !== 'string' || part.file === '' || basename(part.file) !== part.file) {
    throw invalid(path, `names no file of its own folder in "parts.${name}.file"`);
  }
  if (!/^[0-9a-f]{64}$/.test(String(part.sha256))) throw invalid(path, `has no sha256 sum in "parts.${name}.sha256"`);
  for (const key of ['bytes', 'documents'] as const) {
    if (!Number.isSafeInteger(part[key]) || part[key] < 1)
      throw invalid(path, `has no count in "parts.${name}.${key}"`);
  }
}

function invalid(path: string, fault: string): CompressionError {
  return new CompressionError('INVALID_DATA_SET', `${path} ${fault}. Restore the set's folder.`, { path, fault });
}
