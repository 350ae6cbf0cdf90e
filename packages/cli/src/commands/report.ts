import { Command } from 'commander';
import { renderComparison } from '../renderComparison.ts';

export function reportCommand(): Command {
  return new Command('report')
    .description('Draw the report of a finished comparison again.')
    .argument('<dir>', 'a folder that compare has written')
    .option('--json', 'one JSON object on stdout and nothing else')
    .action(async (folder: string, flags: { readonly json?: boolean }) => {
      const { redrawReport } = await import('@quern/pipeline');
      const { runCommand } = await import('../runCommand.ts');
      await runCommand(
        flags.json,
        async () => {
          const { comparison, report } = await redrawReport(folder);
          return { ...comparison, report };
        },
        renderComparison,
      );
    });
}
