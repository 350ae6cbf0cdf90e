import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

export const root: string = join(import.meta.dirname, '..');
export const demo: string = join(root, 'models', 'demo');
/** Real models and texts that are not part of the project; tests that need them skip where it is absent. */
export const outside: string = join(root, '..', 'shared', 'data');
export const hasOutside: boolean = existsSync(outside);

export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line as a user would, in a process of its own. */
export function runQuern(...args: readonly string[]): Promise<Run> {
  return new Promise(resolve => {
    const main = join(root, 'packages', 'cli', 'src', 'main.js');
    execFile(
      process.execPath,
      [main, ...args],
      { maxBuffer: 1 << 28, env: { ...process.env, NO_COLOR: '1' } },
      (error, stdout, stderr) => {
        resolve({ code: error ? (typeof error.code === 'number' ? error.code : 1) : 0, stdout, stderr });
      },
    );
  });
}
