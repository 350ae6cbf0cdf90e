import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CompressionError } from '@quern/core';
import { type Downloaded, downloadFile } from './downloadFile.ts';
import type { HubSettings } from './hubSettings.ts';
import { type HubFile, type HubSource, hubSources } from './hubSources.ts';
import { type HubRow, readHubFile } from './readHubFile.ts';
import { resolveRevision } from './resolveRevision.ts';

export interface PullOptions {
  /** Instead of the one that the set is pinned to. */
  readonly revision?: string | undefined;
  /** Download again what is there. */
  readonly force?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((file: string, done: number, total: number) => void) | undefined;
}

/** The `manifest.json` of a pulled set; of a text it is one of those that `loadTextSet` reads. */
export interface PulledManifest {
  readonly id: string;
  readonly title: string;
  readonly language: string;
  readonly licence: string;
  readonly source: string;
  readonly commit: string;
  /** What was downloaded. */
  readonly files: readonly { readonly path: string; readonly bytes: number; readonly sha256: string }[];
  /** What was made of it. */
  readonly parts: Readonly<Record<string, PulledPart>>;
}

export interface PulledPart {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly documents: number;
}

/** Folder of the pulled texts, which are named like those that come with Quern. */
export function pulledTexts(settings: HubSettings): string {
  return join(settings.cacheFolder, 'data');
}

/** Folder of the pulled code benchmarks. */
export function pulledProblems(settings: HubSettings): string {
  return join(settings.cacheFolder, 'code');
}

/**
 * Downloads a set of `hubSources` into the cache and writes its manifest last: source, commit, bytes and sha256 of every file. A set that
 * is there is not asked for again.
 *
 * Errors: INVALID_DATA_SET for a name that is not known; those of `downloadFile`, `readHubFile`.
 */
export async function pullDataSet(
  id: string,
  settings: HubSettings,
  options: PullOptions = {},
): Promise<{ manifest: PulledManifest; folder: string; isNew: boolean }> {
  const source = hubSources.find(candidate => candidate.id === id);
  if (!source) {
    const known = hubSources.map(candidate => candidate.id);
    throw new CompressionError(
      'INVALID_DATA_SET',
      `There is no set "${id}" to pull. Sets: ${known.join(', ')}; a model is named hf:organisation/name.`,
      { id, known },
    );
  }
  const isText = 'calibration' in source.files;
  const folder = join(isText ? pulledTexts(settings) : pulledProblems(settings), id);
  const existing = await readManifest(folder);
  const isWanted = options.revision === undefined || existing?.commit === options.revision;
  if (existing && isWanted && !options.force) return { manifest: existing, folder, isNew: false };
  const revision = options.revision ?? source.revision;
  const commit = /^[0-9a-f]{40}$/.test(revision)
    ? revision
    : (await resolveRevision('datasets', source.repository, revision, settings)).commit;
  const manifest = await makeSet(source, commit, folder, settings, options);
  return { manifest, folder, isNew: true };
}

async function makeSet(
  source: HubSource,
  commit: string,
  folder: string,
  settings: HubSettings,
  options: PullOptions,
): Promise<PulledManifest> {
  const staging = join(settings.cacheFolder, 'partial', `${source.id}-${commit}`);
  if (options.force) await rm(staging, { recursive: true, force: true });
  await mkdir(staging, { recursive: true });
  const files: { path: string; bytes: number; sha256: string }[] = [];
  const parts: Record<string, PulledPart> = {};
  const finished = join(staging, 'set');
  await rm(finished, { recursive: true, force: true });
  await mkdir(finished);
  for (const [part, wanted] of Object.entries(source.files) as [string, readonly HubFile[]][]) {
    const lines: string[] = [];
    for (const [index, file] of wanted.entries()) {
      const path = join(staging, `${part}-${index}-${basename(file.path)}`);
      const downloaded = await fetchOnce(source, commit, file, path, settings, options);
      files.push({ path: file.path, ...downloaded });
      lines.push(...linesOf(await readHubFile(path, file), file));
    }
    if (lines.length === 0)
      throw new CompressionError('INVALID_DATA_SET', `${source.repository} holds no text in "${wanted[0]?.field}".`);
    const content = `${lines.join('\n')}\n`;
    const name = `${part}.jsonl`;
    await writeFile(join(finished, name), content);
    const bytes = Buffer.byteLength(content);
    parts[part] = {
      file: name,
      bytes,
      sha256: createHash('sha256').update(content).digest('hex'),
      documents: lines.length,
    };
  }
  const { id, title, language, licence, repository } = source;
  const address = `https://huggingface.co/datasets/${repository}`;
  const manifest: PulledManifest = { id, title, language, licence, source: address, commit, files, parts };
  await writeFile(join(finished, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  await mkdir(join(folder, '..'), { recursive: true });
  await rm(folder, { recursive: true, force: true });
  await rename(finished, folder);
  await rm(staging, { recursive: true, force: true });
  return manifest;
}

/** A file that an earlier process finished is taken as it is; a partial one goes on. */
async function fetchOnce(
  source: HubSource,
  commit: string,
  file: HubFile,
  path: string,
  settings: HubSettings,
  { signal, onProgress }: PullOptions,
): Promise<Downloaded> {
  const there = await readFile(path).catch(() => null);
  if (there) return { bytes: there.length, sha256: createHash('sha256').update(there).digest('hex') };
  const address = file.path.split('/').map(encodeURIComponent).join('/');
  return downloadFile(
    `${settings.endpoint}/datasets/${source.repository}/resolve/${commit}/${address}`,
    path,
    settings,
    {
      maximumBytes: file.maximumBytes,
      signal,
      onProgress: (done, total) => onProgress?.(file.path, done, total),
    },
  );
}

/** Rows as JSON lines: with a field its texts that are not blank, else the rows as they are. */
function linesOf(rows: readonly HubRow[], { field, join: separator }: HubFile): string[] {
  if (field === null) return rows.map(row => JSON.stringify(row, writeBigInt));
  const texts = rows.map(row => row[field]).filter(text => typeof text === 'string');
  if (separator !== undefined) return [JSON.stringify({ text: texts.join(separator).trim() })];
  return texts
    .map(text => text.trim())
    .filter(text => text !== '')
    .map(text => JSON.stringify({ text }));
}

function writeBigInt(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}

async function readManifest(folder: string): Promise<PulledManifest | null> {
  const text = await readFile(join(folder, 'manifest.json'), 'utf8').catch(() => null);
  return text === null ? null : (JSON.parse(text) as PulledManifest);
}
