import type { Inspection } from '@quern/pipeline';
import { Command } from 'commander';
import { formatBytes, formatCount } from '../format.ts';
import { table } from '../table.ts';

export function inspectCommand(): Command {
  return new Command('inspect')
    .description('Show what a model is made of: inputs, outputs, linear sites, sizes.')
    .argument('<model>', 'a checkpoint, an .onnx file, or a folder that compress wrote')
    .option('--tokenizer <folder>', 'folder with tokenizer.json and config.json, for .onnx files')
    .option('--json', 'print one JSON object on stdout and nothing else')
    .action(async (model: string, flags: { tokenizer?: string; json?: boolean }) => {
      const { inspectModel } = await import('@quern/pipeline');
      const { runCommand } = await import('../runCommand.ts');
      await runCommand(flags.json, () => inspectModel(model, flags.tokenizer), renderInspection);
    });
}

function renderInspection(result: Inspection): string {
  const rows = result.sites.map(site => [
    site.name,
    site.block === null ? '-' : String(site.block),
    `${site.outFeatures} x ${site.inFeatures}`,
    `${site.sharedInputGroup}${site.canCapture ? '' : ' (cannot be captured: rtn and hqq only)'}`,
  ]);
  const embeddings = result.embeddings
    .map(
      ({ name, vocabularySize, hiddenSize, tied }) =>
        `${name} ${vocabularySize} x ${hiddenSize}${tied ? ', tied' : ''}`,
    )
    .join('; ');
  const operators = result.operators.map(({ name, count }) => `${name} ${count}`).join(', ');
  return [
    `${result.model}: ${result.kind}, opset ${result.opset}, ${formatCount(result.parameterCount)} parameters, ${formatBytes(result.bytes)}`,
    `context     ${result.contextLength ?? 'unknown'}`,
    `tokenizer   ${result.tokenizer ?? 'none'}`,
    `quantised   ${result.quantizedBy ?? 'no'}`,
    `inputs      ${result.inputs.map(value => `${value.name} ${value.type}`).join('\n            ')}`,
    `outputs     ${result.outputs.map(value => `${value.name} ${value.type}`).join('\n            ')}`,
    `operators   ${operators}`,
    `embeddings  ${embeddings || 'none'}`,
    `blocks      ${result.chainedBlocks || 'none: the graph is calibrated whole'}`,
    '',
    rows.length > 0
      ? table(['site', 'block', 'shape', 'reads'], rows)
      : 'no linear sites: nothing that compress could solve',
  ].join('\n');
}
