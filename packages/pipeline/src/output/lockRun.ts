import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CompressionError } from '@quern/core';

const LOCK_FILE = 'process';

/**
 * Marks a run folder as this process's own. A mark that a dead process left counts for nothing.
 *
 * Errors: OUTPUT_EXISTS when another process that is alive works in the folder.
 */
export async function lockRun(run: string, path: string): Promise<void> {
  await checkUnlocked(run, path);
  await writeFile(join(run, LOCK_FILE), String(process.pid));
}

/** Throws when another process works in the folder; also before it is cleared. */
export async function checkUnlocked(run: string, path: string): Promise<void> {
  const pid = Number(await readFile(join(run, LOCK_FILE), 'utf8').catch(() => '0'));
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid || !isAlive(pid)) return;
  throw new CompressionError(
    'OUTPUT_EXISTS',
    `--out ${path} is in use by process ${pid}: wait until it has ended, or name another folder.`,
    { path, pid },
  );
}

/** Ends the claim of a process that goes on living. */
export async function unlockRun(run: string): Promise<void> {
  await rm(join(run, LOCK_FILE), { force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Alive, but somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
