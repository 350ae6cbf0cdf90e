import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CompressionError } from '@quern/core';
import { downloadFile } from './downloadFile.ts';
import type { HubSettings } from './hubSettings.ts';
import type { PullOptions } from './pullDataSet.ts';
import { resolveRevision } from './resolveRevision.ts';

/** The files of a checkpoint that Quern reads; nothing else is downloaded. */
const WANTED =
  /^(?:config|generation_config|tokenizer|tokenizer_config|special_tokens_map|model\.safetensors\.index)\.json$|^[^/]+\.safetensors$/;

export interface PulledModel {
  readonly repository: string;
  readonly commit: string;
  readonly folder: string;
  readonly files: readonly { readonly path: string; readonly bytes: number; readonly sha256: string }[];
}

/** Whether a user names a model on the hub: `hf:organisation/name`, perhaps with `@revision`. */
export function isHubModel(name: string): boolean {
  return name.startsWith('hf:');
}

/**
 * Downloads a checkpoint into the cache: config, tokenizer, safetensors. A revision that was pulled once is taken from the cache: the
 * commit that `main` stood for stays until `force`.
 *
 * Errors: MODEL_NOT_FOUND for a name that is none or a repository without safetensors; those of `downloadFile`.
 */
export async function pullModel(name: string, settings: HubSettings, options: PullOptions = {}): Promise<PulledModel> {
  const match = /^hf:([\w.-]+\/[\w.-]+)(?:@([\w./-]+))?$/.exec(name);
  if (!match || name.includes('..')) {
    throw new CompressionError(
      'MODEL_NOT_FOUND',
      `"${name}" names no model on the hub: write hf:organisation/name or hf:organisation/name@revision.`,
      { name },
    );
  }
  const repository = match[1]!;
  const revision = options.revision ?? match[2] ?? 'main';
  const home = join(settings.cacheFolder, 'models', repository.replace('/', '--'));
  const reference = join(home, 'revisions', encodeURIComponent(revision));
  const known = await readFile(reference, 'utf8').catch(() => null);
  if (known && !options.force) {
    const pulled = await readManifest(join(home, known.trim()));
    if (pulled) return pulled;
  }
  const { commit, files } = await resolveRevision('models', repository, revision, settings);
  const wanted = files.filter(file => WANTED.test(file));
  if (!wanted.includes('config.json') || !wanted.some(file => file.endsWith('.safetensors'))) {
    throw new CompressionError(
      'MODEL_NOT_FOUND',
      `${repository} holds no checkpoint that can be read: config.json and safetensors are needed; it has ${files.slice(0, 8).join(', ')}. Choose a repository with safetensors.`,
      { repository, files: files.slice(0, 50) },
    );
  }
  const folder = join(home, commit);
  const pulled: { path: string; bytes: number; sha256: string }[] = [];
  const before = await readManifest(folder);
  for (const path of wanted) {
    const target = join(folder, path);
    const there = before?.files.find(file => file.path === path);
    const size = (await stat(target).catch(() => null))?.size;
    if (there && there.bytes === size) {
      pulled.push(there);
      continue;
    }
    const url = `${settings.endpoint}/${repository}/resolve/${commit}/${encodeURIComponent(path)}`;
    const { signal, onProgress } = options;
    const downloaded = await downloadFile(url, target, settings, {
      signal,
      onProgress: (done, total) => onProgress?.(path, done, total),
    });
    pulled.push({ path, ...downloaded });
    // Written after each file, so that a run that was stopped does not fetch finished ones again.
    await writeAtomically(join(folder, '.quern-pull.json'), { repository, commit, folder, files: pulled });
  }
  const model: PulledModel = { repository, commit, folder, files: pulled };
  await writeAtomically(join(folder, '.quern-pull.json'), { ...model, isComplete: true });
  await mkdir(join(home, 'revisions'), { recursive: true });
  await writeFile(`${reference}.partial`, commit);
  await rename(`${reference}.partial`, reference);
  return model;
}

async function readManifest(folder: string): Promise<PulledModel | null> {
  const text = await readFile(join(folder, '.quern-pull.json'), 'utf8').catch(() => null);
  return text === null ? null : { ...(JSON.parse(text) as PulledModel), folder };
}

async function writeAtomically(path: string, value: unknown): Promise<void> {
  await writeFile(`${path}.partial`, `${JSON.stringify(value, null, 2)}\n`);
  await rename(`${path}.partial`, path);
}
