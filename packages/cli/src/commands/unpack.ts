import type { UnpackResult } from '@quern/pipeline';
import { Command } from 'commander';
import { formatBytes } from '../format.ts';

export function unpackCommand(): Command {
  return new Command('unpack')
    .description(
      'Turn a packed folder into one that every client loads: the files of --storage container, byte for byte.',
    )
    .argument('<dir>', 'a folder that compress --storage packed has written')
    .requiredOption('--out <dir>', 'folder for the result')
    .option('--force', 'write into a folder that is not empty, replacing files of the same name and an earlier result')
    .option('--json', 'print one JSON object on stdout and nothing else')
    .action(async (model: string, flags: { out: string; force?: boolean; json?: boolean }) => {
      const { unpackModel } = await import('@quern/pipeline');
      const { runCommand } = await import('../runCommand.ts');
      const request = { model, out: flags.out, force: flags.force ?? false };
      await runCommand(flags.json, ({ emit, signal }) => unpackModel(request, emit, signal), renderUnpacked);
    });
}

function renderUnpacked(result: UnpackResult): string {
  const files = result.files.map(file => `  ${file.path}  ${formatBytes(file.bytes)}`);
  return [`${result.output}:`, ...files].join('\n');
}
