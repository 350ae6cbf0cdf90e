import type { ImportResult } from '@quern/pipeline';
import { Command } from 'commander';
import { formatBytes } from '../format.ts';

export function importCommand(): Command {
  return new Command('import')
    .description('Turn a Hugging Face checkpoint into an ONNX folder; weights keep their stored type.')
    .argument('<checkpoint>', 'folder with config.json and safetensors')
    .requiredOption('--out <dir>', 'folder for the result')
    .option('--force', 'write into a folder that is not empty, replacing files of the same name and an earlier result')
    .option('--json', 'print one JSON object on stdout and nothing else')
    .action(async (checkpoint: string, flags: { out: string; force?: boolean; json?: boolean }) => {
      const { importModel } = await import('@quern/pipeline');
      const { runCommand } = await import('../runCommand.ts');
      const force = flags.force ?? false;
      await runCommand(flags.json, ({ signal }) => importModel(checkpoint, flags.out, force, signal), renderImport);
    });
}

function renderImport(result: ImportResult): string {
  const files = result.files.map(file => `  ${file.path}  ${formatBytes(file.bytes)}`);
  return [`${result.output}: ${result.blockCount} blocks, ${result.siteCount} linear sites`, ...files].join('\n');
}
