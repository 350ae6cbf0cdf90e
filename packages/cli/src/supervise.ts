import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { INTERRUPT } from './interrupts.ts';

/** Commands that compute for long; the others end at once anyway. */
const LONG = new Set(['capture', 'compare', 'compress', 'evaluate', 'study']);
/** How long the work may take to end by itself after Ctrl-C. */
const GRACE_MS = 1000;

export function isLong(argv: readonly string[]): boolean {
  const command = argv.slice(2).find(argument => !argument.startsWith('-'));
  return command !== undefined && LONG.has(command) && !argv.includes('--help') && !argv.includes('-h');
}

/**
 * Runs a command line in a child process and returns its exit code.
 *
 * A matrix product cannot be interrupted and holds up every thread that waits for its end, so Ctrl-C would have to wait too:
 * this process is always free to hear it. It asks the work to end, and ends it when it does not; what was finished is on the
 * disk. It also survives to say what happened when the system ends the work because memory ran out.
 */
export async function supervise(argv: readonly string[]): Promise<number> {
  const script = fileURLToPath(new URL('./supervised.ts', import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, script, ...argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  let interrupted = false;
  const interrupt = (): void => {
    if (interrupted) return void child.kill('SIGKILL');
    interrupted = true;
    if (child.connected) child.send(INTERRUPT, () => undefined);
    setTimeout(() => child.kill('SIGKILL'), GRACE_MS).unref();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  const { code, signal } = await endOf(child);
  if (code !== null) return code;
  const { CompressionError } = await import('@quern/core');
  const { reportError } = await import('./reportError.ts');
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[2K');
  const advice = argv.includes('--out') ? ' What was finished is kept: run the same command with --resume.' : '';
  const error = interrupted
    ? new CompressionError('INTERRUPTED', `Interrupted.${advice}`)
    : new CompressionError('RUNTIME_FAILED', `The work was ended by ${signal}, ${reasonOf(signal)}.${advice}`, {
        signal,
      });
  return reportError(error, argv);
}

function endOf(child: ChildProcess): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve({ code, signal }));
  });
}

function reasonOf(signal: NodeJS.Signals | null): string {
  if (signal === 'SIGKILL') return 'most likely because memory ran out: use fewer --threads, or fewer --windows';
  if (signal === 'SIGABRT') return 'which a library does when memory runs out: use fewer --threads, or fewer --windows';
  return 'from outside or by a defect of a library';
}
