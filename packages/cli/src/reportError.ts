import { CompressionError, exitCodeOf, toErrorRecord } from '@quern/core';

/**
 * Prints an error on stderr and, with --json, as one object on stdout. Returns the exit code.
 * A stack trace appears only with --verbose, or for a defect of Quern's own.
 */
export function reportError(error: unknown, argv: readonly string[]): number {
  const record = toErrorRecord(error);
  if (argv.includes('--json')) process.stdout.write(`${JSON.stringify({ error: record })}\n`);
  process.stderr.write(`quern: ${record.message} [${record.code}]\n`);
  if (argv.includes('--verbose') && error instanceof Error) {
    process.stderr.write(`${error.stack}\n`);
    if (error instanceof CompressionError && error.cause instanceof Error) {
      process.stderr.write(`caused by: ${error.cause.stack}\n`);
    }
  } else if (record.code === 'INTERNAL') {
    process.stderr.write('This is a defect of Quern; run again with --verbose for the stack trace.\n');
  }
  return exitCodeOf(record.code);
}
