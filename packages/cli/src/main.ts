#!/usr/bin/env node
import { CommanderError } from 'commander';
import { createProgram } from './createProgram.ts';
import { reportError } from './reportError.ts';

const program = createProgram();
try {
  await program.parseAsync(process.argv);
} catch (error) {
  process.exitCode = error instanceof CommanderError ? usageExitCode(error) : reportError(error, process.argv);
}

/** Commander has printed its own message; help and version are no errors. */
function usageExitCode(error: CommanderError): number {
  return error.exitCode === 0 ? 0 : 2;
}
