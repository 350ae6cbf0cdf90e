import { readFile } from 'node:fs/promises';

/**
 * Whether a process runs. `start`, of `startOf`, tells a process from a later one with the same number, which a new container or a restart soon gives. A process
 * that was killed and whose parent has not asked for its end yet still has a number, but is not alive.
 */
export async function isAlive(pid: number, start: string | undefined): Promise<boolean> {
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
export async function startOf(pid: number): Promise<string | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The name of the program stands in brackets and may hold anything.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const state = fields[0] ?? '';
  return state === '' || 'ZX'.includes(state) ? null : (fields[19] ?? null);
}
