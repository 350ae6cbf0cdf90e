import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { CompressResult } from '../compressRequest.ts';
import { hasRun } from './runFolder.ts';

const MANIFEST = 'quern.json';

/** The part of a manifest that a result is made of. */
type Manifest = Omit<CompressResult, 'output'> & { readonly key: string };

/**
 * The result that stands complete in a folder and is made from exactly this; null when there is none, when a file of it is
 * missing or has another size, or while a run is open there.
 */
export async function readFinished(path: string, key: string): Promise<CompressResult | null> {
  const folder = resolve(path);
  if (await hasRun(folder)) return null;
  let manifest: Manifest;
  let manifestBytes: number;
  try {
    const text = await readFile(join(folder, MANIFEST), 'utf8');
    manifest = JSON.parse(text) as Manifest;
    manifestBytes = Buffer.byteLength(text);
  } catch {
    return null;
  }
  if (manifest.key !== key) return null;
  const { files, storage, sites, embeddings, perplexity, budget, outputs, windowsUsed, dtype, durationMs } = manifest;
  for (const { path: file, bytes } of files) {
    const found = await stat(join(folder, file)).catch(() => null);
    if (found?.size !== bytes) return null;
  }
  return {
    output: path,
    files: [...files, { path: MANIFEST, bytes: manifestBytes }],
    storage,
    sites,
    embeddings,
    perplexity,
    outputs,
    budget,
    windowsUsed,
    dtype,
    durationMs,
  };
}
