import { CompressionError } from '@quern/core';
import type { CodeRequest, CodeResult } from '@quern/pipeline';
import { type Command, Option } from 'commander';
import { type DeviceFlags, fraction, nonNegativeNumber, positiveNumber, wholeNumber } from './options.ts';

export interface CodeFlags {
  readonly code?: CodeRequest['benchmark'];
  readonly codeData?: string;
  readonly completions?: string;
  readonly samples: number;
  readonly limit?: number;
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly seed: number;
  readonly maxNewTokens: number;
  readonly timeLimit: number;
  readonly memoryLimit: number;
  readonly tokenizer?: string;
}

/** Adds the flags of code tasks to evaluate. */
export function addCodeOptions(command: Command): Command {
  return command
    .addOption(new Option('--code <benchmark>', 'run code tasks').choices(['humaneval_js', 'humaneval', 'mbpp']))
    .option('--code-data <file>', 'the problems: JSON lines, gzipped or not (default: those of `quern data pull`)')
    .option('--completions <file>', 'score these instead of a model: JSON lines of task_id and completion')
    .option('--samples <n>', 'completions a problem, for pass@1, pass@10, pass@100', wholeNumber(1), 1)
    .option('--limit <n>', 'take the first n problems, or items of each task', wholeNumber(1))
    .option('--temperature <t>', 'of code tasks (default: 0.2)', nonNegativeNumber)
    .option('--top-k <k>', 'of code tasks', wholeNumber(1))
    .option('--top-p <p>', 'of code tasks', fraction)
    .option('--seed <s>', 'of code tasks, and of resampling against a baseline', wholeNumber(0), 0)
    .option('--max-new-tokens <n>', 'tokens a completion', wholeNumber(1), 512)
    .option('--time-limit <seconds>', 'of one program', positiveNumber, 10)
    .option('--memory-limit <MB>', 'of one program', wholeNumber(64), 1024);
}

/** The request of a command line with --code; null for one without. Errors: USAGE for flags that lack another one. */
export function codeRequest(model: string | undefined, flags: CodeFlags & DeviceFlags): CodeRequest | null {
  if (flags.code === undefined) {
    const alone =
      flags.codeData !== undefined ? '--code-data' : flags.completions !== undefined ? '--completions' : null;
    if (alone === null) return null;
    throw new CompressionError('USAGE', `${alone} needs --code humaneval_js, humaneval or mbpp.`);
  }
  if (model === undefined && flags.completions === undefined) {
    throw new CompressionError('USAGE', '--code needs a model, or --completions <file> to score.');
  }
  if (model !== undefined && flags.completions !== undefined) {
    throw new CompressionError('USAGE', `Both the model ${model} and --completions are given: score one of them.`);
  }
  return {
    ...flags,
    model: model ?? null,
    benchmark: flags.code,
    data: flags.codeData,
    temperature: flags.temperature ?? 0.2,
    timeoutMs: 1000 * flags.timeLimit,
    memoryBytes: 1e6 * flags.memoryLimit,
  };
}

/** The result of code tasks as text. */
export function renderCode(result: CodeResult): string {
  const { outcomes, sampling } = result;
  const how = sampling ? `, ${sampling.samples} samples at temperature ${sampling.temperature}` : '';
  const lines = [`${result.model ?? 'completions'} on ${result.benchmark}: ${result.problemCount} problems${how}`];
  for (const [k, share] of Object.entries(result.passAt)) {
    const error = k === '1' ? ` +- ${(100 * result.standardError).toFixed(2)}` : '';
    lines.push(`${`pass@${k}`.padEnd(10)}${(100 * share).toFixed(2)} %${error}`);
  }
  const others = Object.entries(outcomes).filter(([name, count]) => name === 'passed' || count > 0);
  lines.push(`samples   ${others.map(([name, count]) => `${count} ${name}`).join(', ')}`);
  return lines.join('\n');
}
