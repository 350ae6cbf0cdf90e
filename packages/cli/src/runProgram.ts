import { type Command, CommanderError } from 'commander';
import { createProgram } from './createProgram.ts';

/** Runs one command line and returns the exit code: 0 done, 1 failed while working, 2 bad usage or input, 130 interrupted. */
export async function runProgram(argv: readonly string[]): Promise<number> {
  const program = createProgram();
  try {
    checkCommand(program, argv);
    await program.parseAsync(argv);
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return usageExitCode(error, argv);
    const { reportError } = await import('./reportError.ts');
    return reportError(error, argv);
  }
}

/** Help for a command that does not exist would otherwise be the general help, and a success. */
function checkCommand(program: Command, argv: readonly string[]): void {
  const [name] = argv.slice(2);
  if (name === undefined || name.startsWith('-') || name === 'help') return;
  const known = program.commands.map(command => command.name());
  if (!known.includes(name)) program.error(`error: unknown command '${name}' (known: ${known.join(', ')})`);
}

/** Commander has printed its own message; help and version are no errors. */
function usageExitCode(error: CommanderError, argv: readonly string[]): number {
  if (error.exitCode === 0) return 0;
  if (argv.includes('--json')) {
    const record = { code: 'USAGE', message: error.message, context: {} };
    process.stdout.write(`${JSON.stringify({ error: record })}\n`);
  }
  return 2;
}
