import { constants } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { CompressionError } from '@quern/core';
import type { CompressResult, SiteReport } from './compressRequest.ts';
import type { Emit } from './events.ts';
import { listenForInterrupt } from './interruption.ts';
import { writeDataFiles } from './open/writeDataFiles.ts';
import { asWriteFailure } from './output/asWriteFailure.ts';
import { claimRunFolder } from './output/runFolder.ts';
import { toJsonText } from './output/toJsonText.ts';

export interface UnpackRequest {
  /** A folder that compress wrote with packed storage. */
  readonly model: string;
  readonly out: string;
  readonly force: boolean;
}

export interface UnpackResult {
  readonly output: string;
  readonly files: CompressResult['files'];
}

const MANIFEST = 'quern.json';

/**
 * Writes a packed folder as the folder that `--storage container` gives: data files in the place of the packed one, everything
 * else as it is, with a manifest that says so.
 *
 * Errors: MODEL_NOT_FOUND; INVALID_OPTION for a folder without packed files; INVALID_EXTERNAL_DATA for a damaged one; those of
 * `claimRunFolder`; WRITE_FAILED; INTERRUPTED. Nothing is left then.
 */
export async function unpackModel(request: UnpackRequest, emit: Emit, signal?: AbortSignal): Promise<UnpackResult> {
  const { model, out, force } = request;
  const source = resolve(model);
  const paths = await listSource(model, source);
  const parts = { command: 'unpack' };
  const output = await claimRunFolder({ path: out, parts, force, resume: false }).catch(error => {
    throw asWriteFailure(error, out);
  });
  try {
    for (const path of paths) {
      await listenForInterrupt(signal);
      const target = join(output.staging, path);
      await mkdir(dirname(target), { recursive: true });
      if (path.endsWith('.quern')) {
        emit({ kind: 'stage', stage: 'write', detail: path });
        const onProgress = (done: number, total: number): void =>
          emit({ kind: 'progress', stage: 'write', done, total, unit: 'bytes' });
        await writeDataFiles(join(source, path), dirname(target), { onProgress, signal });
      } else if (path !== MANIFEST) await copyFile(join(source, path), target, constants.COPYFILE_FICLONE);
    }
    const files = await measureFiles(output.staging);
    if (paths.includes(MANIFEST)) await writeUnpackedManifest(join(source, MANIFEST), output.staging, files);
    const written = await output.commit(MANIFEST);
    return { output: out, files: await measureFiles(output.folder, written) };
  } catch (error) {
    await output.abandon().catch(() => undefined); // the reason is worth more
    throw asWriteFailure(error, out);
  }
}

/** Files of the folder by their paths in it, of which at least one is packed. */
async function listSource(model: string, source: string): Promise<string[]> {
  const entries = await readdir(source, { recursive: true, withFileTypes: true }).catch(() => {
    const message = `No model at ${model}: name a folder that compress --storage packed has written.`;
    throw new CompressionError('MODEL_NOT_FOUND', message, { path: model });
  });
  const paths = entries
    .filter(entry => entry.isFile())
    .map(entry => relative(source, join(entry.parentPath, entry.name)))
    .filter(path => !path.split(/[/\\]/).some(part => part.startsWith('.quern')))
    .sort();
  if (paths.some(path => path.endsWith('.quern'))) return paths;
  const message = `${model} holds no packed file (.quern): there is nothing to unpack.`;
  throw new CompressionError('INVALID_OPTION', message, { path: model });
}

/** The manifest of what stands there now: sizes of the container, and no key, since no run has made this folder. */
async function writeUnpackedManifest(source: string, target: string, files: CompressResult['files']): Promise<void> {
  const { key: _, ...manifest } = JSON.parse(await readFile(source, 'utf8')) as Partial<CompressResult> & {
    readonly key?: string;
    readonly recipe?: object;
    readonly load?: Readonly<Record<string, string>>;
  };
  const { storage, sites = [], load = {} } = manifest;
  const { container, ...sizes } = storage ?? {};
  const unpacked = {
    ...manifest,
    recipe: { ...manifest.recipe, storage: 'container' },
    storage: { ...sizes, ...container },
    sites: sites.map(inContainer),
    files,
    load: { ...withoutPacked(load), note: 'Unpacked from a .quern file.' },
  };
  await writeFile(join(target, MANIFEST), toJsonText(unpacked));
}

function inContainer({ packed, ...site }: SiteReport): SiteReport {
  return packed ? { ...site, storageBits: packed.containerBits } : site;
}

function withoutPacked({ unpack: _, ...load }: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(load).map(([client, text]) => [
      client,
      text.replace('usePacked(env); ', '').replace(/, \{ externalData: .*\}\)$/, ')'),
    ]),
  );
}

async function measureFiles(folder: string, paths?: readonly string[]): Promise<CompressResult['files']> {
  const listed = paths ?? (await listAll(folder));
  return Promise.all(listed.map(async path => ({ path, bytes: (await stat(join(folder, path))).size })));
}

async function listAll(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter(entry => entry.isFile());
  return files.map(entry => relative(folder, join(entry.parentPath, entry.name))).sort();
}
