import { readFile, writeFile } from 'node:fs/promises';
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

/**
 * `start` tells a process from a later one with the same number, which a new container or a restart soon gives. A process
 * that was killed and whose parent has not asked for its end yet still has a number, but is not alive.
 */
async function isAlive(pid: number, start: string | undefined): Promise<boolean> {
  if (process.platform === 'linux') {
    const now = await startOf(pid);
    return now !== null && (start === undefined || now === start);
  }
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Alive, but somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** When a process began, in Linux's own count; null for one that has ended, and on other systems. */
async function startOf(pid: number): Promise<string | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The name of the program stands in brackets and may hold anything.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const state = fields[0] ?? '';
  return state === '' || 'ZX'.includes(state) ? null : (fields[19] ?? null);
}
