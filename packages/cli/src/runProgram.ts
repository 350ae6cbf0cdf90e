import { CommanderError } from 'commander';
import { createProgram } from './createProgram.ts';

/** Runs one command line and returns the exit code: 0 done, 1 failed while working, 2 bad usage or input, 130 interrupted. */
export async function runProgram(argv: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync(argv);
    return 0;
  } catch (error) {
    // Commander has printed its own message; help and version are no errors.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const { reportError } = await import('./reportError.ts');
    return reportError(error, argv);
  }
}
