import { Command } from 'commander';
import { captureCommand } from './commands/capture.ts';
import { compareCommand } from './commands/compare.ts';
import { compressCommand } from './commands/compress.ts';
import { dataCommand } from './commands/data.ts';
import { doctorCommand } from './commands/doctor.ts';
import { evaluateCommand } from './commands/evaluate.ts';
import { generateCommand } from './commands/generate.ts';
import { importCommand } from './commands/import.ts';
import { inspectCommand } from './commands/inspect.ts';
import { planCommand } from './commands/plan.ts';
import { reportCommand } from './commands/report.ts';
import { studyCommand } from './commands/study.ts';
import { unpackCommand } from './commands/unpack.ts';

/** The whole command line. Commands load what they need when they run, so that help comes at once. */
export function createProgram(): Command {
  const program = new Command('quern')
    .description('Compress trained neural networks and write ONNX files that run everywhere.')
    .version('0.1.0')
    .configureHelp({ sortSubcommands: false, showGlobalOptions: true })
    .option('--verbose', 'print stack traces')
    .exitOverride()
    .showHelpAfterError('(run with --help for the options)');
  const commands = [
    compressCommand(),
    evaluateCommand(),
    generateCommand(),
    compareCommand(),
    studyCommand(),
    reportCommand(),
    planCommand(),
    captureCommand(),
    inspectCommand(),
    importCommand(),
    unpackCommand(),
    dataCommand(),
    doctorCommand(),
  ];
  program.hook('preAction', (_, command) => {
    if (command.optsWithGlobals<{ offline?: boolean }>().offline) process.env.HF_HUB_OFFLINE = '1';
  });
  for (const command of commands) program.addCommand(inherit(command));
  program.addHelpText(
    'after',
    `
Examples:
  quern compress models/demo --out out/demo-q4 --bits 4
  quern evaluate out/demo-q4 --baseline models/demo
  quern compare models/demo --out out/compare --methods gptq:4,gptq:3,svd-llm,gptq:3+lowrank
  quern inspect models/demo

A <model> is a Hugging Face folder (config.json + safetensors), an .onnx file, a folder written by compress, or hf:organisation/name.`,
  );
  return program;
}

/** Sub-commands made apart from their program take its error handling by hand. */
function inherit(command: Command): Command {
  command.exitOverride().showHelpAfterError('(run with --help for the options)');
  command.option('--verbose', 'print stack traces');
  command.option('--offline', 'download nothing: only what is in the cache');
  for (const child of command.commands) inherit(child);
  return command;
}
