import { Command } from 'commander';
import { renderComparison } from '../renderComparison.ts';

export function reportCommand(): Command {
  return new Command('report')
    .description('Draw report.html of a finished compression; of a comparison or an evaluation, draw it again.')
    .argument('<dir>', 'a folder that compress, compare or evaluate --report has written')
    .option('--json', 'one JSON object on stdout and nothing else')
    .action(async (folder: string, flags: { readonly json?: boolean }) => {
      const { redrawEvaluation, redrawReport, redrawResult } = await import('@quern/pipeline');
      const { runCommand } = await import('../runCommand.ts');
      const redrawn = await redrawEvaluation(folder);
      if (redrawn) {
        const { evaluation, report } = redrawn;
        return runCommand(
          flags.json,
          async () => ({ ...evaluation, report }),
          () => `report  ${report}`,
        );
      }
      const drawn = await redrawResult(folder);
      if (drawn) {
        const { manifest, report } = drawn;
        return runCommand(
          flags.json,
          async () => ({ ...manifest, report }),
          () => `report  ${report}`,
        );
      }
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
