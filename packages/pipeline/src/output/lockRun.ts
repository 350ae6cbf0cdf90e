import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CompressionError } from '@quern/core';
import { isAlive, startOf } from './isAlive.ts';

const LOCK_FILE = 'process';

/**
 * Marks a run folder as this process's own. A mark that a dead process left counts for nothing.
 *
 * Errors: OUTPUT_EXISTS when another process that is alive works in the folder.
 */
export async function lockRun(run: string, path: string): Promise<void> {
  await checkUnlocked(run, path);
  await writeFile(join(run, LOCK_FILE), `${process.pid} ${(await startOf(process.pid)) ?? ''}`.trim());
}

/** Throws when another process works in the folder; also before it is cleared. */
export async function checkUnlocked(run: string, path: string): Promise<void> {
  const [id, start] = (await readFile(join(run, LOCK_FILE), 'utf8').catch(() => '0')).split(' ');
  const pid = Number(id);
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid || !(await isAlive(pid, start))) return;
  throw new CompressionError(
    'OUTPUT_EXISTS',
    `--out ${path} is in use by process ${pid}: wait until it has ended, or name another folder.`,
    { path, pid },
  );
}
