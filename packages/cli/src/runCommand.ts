import type { Emit } from '@quern/pipeline';
import { handleInterrupts } from './interrupts.ts';
import { createProgress } from './progress.ts';

/** What every long command gets: a sink for events and a signal that Ctrl-C aborts. */
export interface CommandContext {
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

/**
 * Runs the work of a command with progress on stderr, then prints its result on stdout: the object itself with --json,
 * else the text that `render` makes of it. The first Ctrl-C asks the work to stop, which it does at the end of a matrix product
 * at the latest; the second ends the process at once.
 */
export async function runCommand<Result>(
  json: boolean | undefined,
  work: (context: CommandContext) => Promise<Result>,
  render: (result: Result) => string,
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
  try {
    const result = await work({ emit: progress.emit, signal: controller.signal });
    progress.finish();
    process.stdout.write(json ? `${JSON.stringify(result)}\n` : `${render(result)}\n`);
  } catch (error) {
    progress.finish();
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
