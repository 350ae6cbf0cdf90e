import type { GenerateResult } from '@quern/pipeline';
import { Command } from 'commander';
import { formatSeconds } from '../format.ts';
import { addDeviceOptions, type DeviceFlags, fraction, nonNegativeNumber, wholeNumber } from '../options.ts';

interface GenerateFlags extends DeviceFlags {
  readonly prompt: string;
  readonly maxNewTokens: number;
  readonly temperature: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly seed: number;
  readonly stop: readonly string[];
  readonly tokenizer?: string;
}

export function generateCommand(): Command {
  const command = new Command('generate')
    .description('Continue a prompt; the new text goes to stdout as it comes.')
    .argument('<model>', 'a checkpoint, an .onnx file, or a folder that compress wrote')
    .requiredOption('--prompt <text>', 'what to continue; "" begins a text')
    .option('--max-new-tokens <n>', 'tokens to write at most', wholeNumber(1), 128)
    .option('--temperature <t>', 'divides the logits; 0 takes the most likely token', nonNegativeNumber, 0)
    .option('--top-k <k>', 'draw from the k most likely tokens', wholeNumber(1))
    .option('--top-p <p>', 'draw from the most likely tokens that have this probability together', fraction)
    .option('--seed <s>', 'the same seed draws the same text', wholeNumber(0), 0)
    .option('--stop <text>', 'end before this text; may be given again', collect, [])
    .option('--tokenizer <folder>', 'folder with tokenizer.json and config.json, for .onnx files');
  return addDeviceOptions(command).action(async (model: string, flags: GenerateFlags) => {
    const { generateText } = await import('@quern/pipeline');
    const { runCommand } = await import('../runCommand.ts');
    await runCommand(
      flags.json,
      context => generateText({ ...flags, model }, context.print, context),
      () => '',
      describeSpeed,
    );
  });
}

function collect(text: string, before: readonly string[]): readonly string[] {
  return [...before, text];
}

const ENDS: Readonly<Record<GenerateResult['stopReason'], string>> = {
  eos: 'the model ended the text',
  stop: 'a stop text came',
  length: '--max-new-tokens reached',
  context: "the model's context is full",
};

function describeSpeed({ promptTokens, promptMs, newTokens, tokensPerSecond, stopReason }: GenerateResult): string {
  const rate = tokensPerSecond === null ? '' : `, ${tokensPerSecond.toFixed(1)} tokens/s`;
  return `${promptTokens} prompt tokens in ${formatSeconds(promptMs / 1000)}, ${newTokens} new tokens${rate}; ${ENDS[stopReason]}`;
}
