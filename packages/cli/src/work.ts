import { enableCompileCache } from 'node:module';

/** Runs a command line in this process and returns its exit code. */
export async function work(argv: readonly string[]): Promise<number> {
  // Everything else is imported after this, so that it comes out of the cache from the second run on.
  enableCompileCache();
  const { runProgram } = await import('./runProgram.ts');
  return runProgram(argv);
}
