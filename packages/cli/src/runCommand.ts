import type { Emit } from '@quern/pipeline';
import { handleInterrupts } from './interrupts.ts';
import { createProgress } from './progress.ts';

/** What every long command gets: a sink for events and a signal that Ctrl-C aborts. */
export interface CommandContext {
  readonly emit: Emit;
  readonly signal: AbortSignal;
  /** Writes a piece of the result to stdout before the rest is there; nothing with --json. */
  readonly print: (text: string) => void;
}

/**
 * Runs the work of a command with progress on stderr, then prints its result on stdout: the object itself with --json,
 * else the text that `render` makes of it. What `remark` makes of it goes to stderr. The first Ctrl-C asks the work to stop, which it does at the end of a matrix product
 * at the latest; the second ends the process at once.
 */
export async function runCommand<Result>(
  json: boolean | undefined,
  work: (context: CommandContext) => Promise<Result>,
  render: (result: Result) => string,
  remark?: (result: Result) => string,
): Promise<void> {
  const controller = new AbortController();
  const release = handleInterrupts(() => {
    if (controller.signal.aborted) endAtOnce();
    controller.abort();
  });
  const progress = createProgress({
    isTTY: process.stderr.isTTY === true,
    columns: process.stderr.columns ?? 80,
    write: text => process.stderr.write(text),
  });
  let hasPrinted = false;
  const print = (text: string): void => {
    if (json) return;
    if (!hasPrinted) progress.finish();
    hasPrinted = true;
    process.stdout.write(text);
  };
  try {
    const result = await work({ emit: progress.emit, signal: controller.signal, print });
    if (!hasPrinted) progress.finish();
    process.stdout.write(json ? `${JSON.stringify(result)}\n` : `${render(result)}\n`);
    if (remark) process.stderr.write(`${remark(result)}\n`);
  } catch (error) {
    if (hasPrinted) process.stdout.write('\n');
    else progress.finish();
    throw error;
  } finally {
    release();
  }
}

/** As Ctrl-C does to a process that does not listen to it: an orderly exit would wait for every thread. */
function endAtOnce(): void {
  process.removeAllListeners('SIGINT');
  process.kill(process.pid, 'SIGINT');
}
