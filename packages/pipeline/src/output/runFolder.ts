import { mkdir, readdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { CompressionError } from '@quern/core';

/** An output folder with a run in it: work in progress lies in one hidden folder until all of it is complete. */
export interface RunFolder {
  /** Where the result will be. */
  readonly folder: string;
  /** Files of the result under construction. */
  readonly staging: string;
  /** Finished work that a later run can use. */
  readonly results: string;
  /** Scratch files. */
  readonly scratch: string;
  /** Moves every staged file to its final name, `last` at the end, and removes the run. Returns their paths. */
  commit(last: string): Promise<string[]>;
  /** Removes the run, and the folder itself if it was made for it. */
  abandon(): Promise<void>;
}

export interface RunRequest {
  readonly path: string;
  /** Names what the run is made from; a run can only be resumed by the same key. */
  readonly key: string;
  readonly force: boolean;
  readonly resume: boolean;
}

const RUN = '.quern-run';
const KEY_FILE = 'run.json';

/**
 * Claims an output folder and opens or continues the run in it.
 *
 * Errors: OUTPUT_EXISTS when the folder is a file, or not empty without `force` or `resume`; RUN_MISMATCH when the run to
 * resume was started with other settings.
 */
export async function claimRunFolder(request: RunRequest): Promise<RunFolder> {
  const { path, key, force, resume } = request;
  const folder = resolve(path);
  const run = join(folder, RUN);
  const information = await stat(folder).catch(() => null);
  if (information && !information.isDirectory()) {
    throw new CompressionError('OUTPUT_EXISTS', `--out ${path} is a file: name a folder.`, { path });
  }
  const present = information ? await readdir(folder) : [];
  if (present.length > 0 && !force && !resume) throw notEmpty(path, present);
  const made = information ? null : ((await mkdir(folder, { recursive: true })) ?? null);
  if (resume) await checkKey(path, join(run, KEY_FILE), key);
  else await rm(run, { recursive: true, force: true });
  const staging = join(run, 'output');
  await rm(staging, { recursive: true, force: true });
  await mkdir(staging, { recursive: true });
  await writeFile(join(run, KEY_FILE), `${JSON.stringify({ key })}\n`);
  return {
    folder,
    staging,
    results: join(run, 'results'),
    scratch: join(run, 'scratch'),
    async commit(last) {
      const files = (await listFiles(staging)).sort();
      const ordered = [...files.filter(file => file !== last), ...files.filter(file => file === last)];
      for (const file of ordered) {
        const target = join(folder, file);
        await mkdir(dirname(target), { recursive: true });
        await rename(join(staging, file), target);
      }
      await rm(run, { recursive: true, force: true });
      return ordered;
    },
    async abandon() {
      await rm(run, { recursive: true, force: true });
      if (made) await removeEmpty(folder, made);
    },
  };
}

function notEmpty(path: string, present: readonly string[]): CompressionError {
  const message = present.includes(RUN)
    ? `--out ${path} holds an unfinished run: pass --resume to continue it, or --force to start again.`
    : `--out ${path} is not empty (${present.length} entries, such as ${present[0]}): name another folder, or pass --force to replace files of the same name.`;
  return new CompressionError('OUTPUT_EXISTS', message, { path, entries: present.length });
}

async function checkKey(path: string, file: string, key: string): Promise<void> {
  const text = await readFile(file, 'utf8').catch(() => null);
  if (text === null) return;
  let stored: unknown;
  try {
    stored = (JSON.parse(text) as { key?: unknown }).key;
  } catch {
    stored = null;
  }
  if (stored === key) return;
  throw new CompressionError(
    'RUN_MISMATCH',
    `The run in ${path} was started from another model, text, recipe or version: repeat it with the same settings, or pass --force to start again.`,
    { path },
  );
}

/** Removes `folder` and its parents up to `top`, as far as they are empty. */
async function removeEmpty(folder: string, top: string): Promise<void> {
  for (let current = folder; current.length >= top.length; current = dirname(current)) {
    try {
      await rmdir(current);
    } catch {
      return;
    }
  }
}

async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter(entry => entry.isFile()).map(entry => relative(folder, join(entry.parentPath, entry.name)));
}
