import { mkdir, readdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { CompressionError } from '@quern/core';
import { type JobContent, jobKey } from '../solve/jobKey.ts';
import { checkUnlocked, lockRun } from './lockRun.ts';
import { removeStale } from './removeStale.ts';

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
  /** Moves every staged file to its final name, `last` at the end, and removes the run and what it replaces. Returns their paths. */
  commit(last: string): Promise<string[]>;
  /** Removes the run, and the folder itself if it was made for it. */
  abandon(): Promise<void>;
}

export interface RunRequest {
  readonly path: string;
  /** What the run is made from, by the names that a user knows; a run is only resumed with the same parts. */
  readonly parts: Readonly<Record<string, JobContent>>;
  readonly force: boolean;
  readonly resume: boolean;
}

const RUN = '.quern-run';
const PARTS_FILE = 'run.json';

/**
 * Claims an output folder and opens or continues the run in it. `resume` also starts where nothing stands yet, so that the same
 * command can be repeated until it is through.
 *
 * Errors: OUTPUT_EXISTS when the folder is a file, when it is not empty without `force` or `resume`, and when there is no run to
 * resume among what it holds, and when another process works in it; RUN_MISMATCH when the run to resume was started with other settings.
 */
export async function claimRunFolder(request: RunRequest): Promise<RunFolder> {
  const { path, force, resume } = request;
  const folder = resolve(path);
  const run = join(folder, RUN);
  const information = await stat(folder).catch(() => null);
  if (information && !information.isDirectory()) {
    throw new CompressionError('OUTPUT_EXISTS', `--out ${path} is a file: name a folder.`, { path });
  }
  const present = information ? await readdir(folder) : [];
  if (present.length > 0 && !force && !resume) throw notEmpty(path, present);
  const parts = Object.fromEntries(Object.entries(request.parts).map(([name, part]) => [name, jobKey(part)]));
  const stored = resume ? await readParts(join(run, PARTS_FILE)) : null;
  if (stored) checkParts(path, stored, parts);
  else if (resume && present.some(name => name !== RUN)) throw nothingToResume(path, present);
  await checkUnlocked(run, path);
  const made = information ? null : await makeFolders(folder);
  if (!stored) await rm(run, { recursive: true, force: true });
  const staging = join(run, 'output');
  await rm(staging, { recursive: true, force: true });
  await mkdir(staging, { recursive: true });
  if (!stored) await writeParts(run, parts);
  await lockRun(run, path);
  return {
    folder,
    staging,
    results: join(run, 'results'),
    scratch: join(run, 'scratch'),
    async commit(last) {
      const files = (await listFiles(staging)).sort();
      const ordered = [...files.filter(file => file !== last), ...files.filter(file => file === last)];
      await removeStale(folder, files);
      // Old and new files never stand together under a `last` that speaks for all of them.
      await rm(join(folder, last), { force: true });
      for (const file of ordered) {
        const target = join(folder, file);
        await mkdir(dirname(target), { recursive: true });
        await rename(join(staging, file), target);
      }
      // Without this file the run is no run any more, however much of the rest a crash leaves.
      await rm(join(run, PARTS_FILE), { force: true });
      await rm(run, { recursive: true, force: true });
      return ordered;
    },
    async abandon() {
      await rm(run, { recursive: true, force: true });
      if (made) await removeEmpty(folder, made);
    },
  };
}

/**
 * Makes a folder and those above it that are missing; returns the topmost that was made. One by one: Node's recursive form never
 * ends where the system denies that a folder it listed exists, as under /proc.
 */
async function makeFolders(folder: string): Promise<string> {
  const missing = [folder];
  while (!(await stat(dirname(missing[0]!)).catch(() => null))) missing.unshift(dirname(missing[0]!));
  for (const path of missing) await mkdir(path);
  return missing[0]!;
}

/** Whether a run stands in an output folder, begun and not ended. */
export async function hasRun(folder: string): Promise<boolean> {
  return (await stat(join(folder, RUN, PARTS_FILE)).catch(() => null)) !== null;
}

function notEmpty(path: string, present: readonly string[]): CompressionError {
  const message = present.includes(RUN)
    ? `--out ${path} holds an unfinished run: pass --resume to continue it, or --force to start again.`
    : `--out ${path} is not empty (${present.length} entries, such as ${present[0]}): name another folder, or pass --force to replace files of the same name.`;
  return new CompressionError('OUTPUT_EXISTS', message, { path, entries: present.length });
}

function nothingToResume(path: string, present: readonly string[]): CompressionError {
  if (present.includes('quern.json')) {
    return new CompressionError(
      'RUN_MISMATCH',
      `${path} holds the finished result of another command: name another folder, or pass --force to replace it.`,
      { path },
    );
  }
  const others = present.filter(name => name !== RUN);
  return new CompressionError(
    'OUTPUT_EXISTS',
    `--resume: ${path} holds no unfinished run, but ${others.length} other entries, such as ${others[0]}: name the folder of the run, or pass --force to start one there.`,
    { path, entries: others.length },
  );
}

/** Null when the file is not there or cannot be read: then nothing was finished either. */
async function readParts(file: string): Promise<Readonly<Record<string, unknown>> | null> {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

async function writeParts(run: string, parts: Readonly<Record<string, string>>): Promise<void> {
  const partial = join(run, `${PARTS_FILE}.partial`);
  await writeFile(partial, `${JSON.stringify(parts, null, 2)}\n`);
  await rename(partial, join(run, PARTS_FILE));
}

function checkParts(
  path: string,
  stored: Readonly<Record<string, unknown>>,
  parts: Readonly<Record<string, string>>,
): void {
  const names = new Set([...Object.keys(stored), ...Object.keys(parts)]);
  const different = [...names].filter(name => stored[name] !== parts[name]);
  if (different.length === 0) return;
  throw new CompressionError(
    'RUN_MISMATCH',
    `The run in ${path} was started with another ${different.join(', ')}: repeat the command as it was, or pass --force to start again.`,
    { path, different },
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
