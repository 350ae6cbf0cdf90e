import type { DataSetListing } from '@quern/pipeline';
import { Command } from 'commander';
import { formatBytes } from '../format.ts';
import { table } from '../table.ts';

export function dataCommand(): Command {
  const data = new Command('data').description('The texts that come with Quern.');
  data
    .command('list')
    .description('List the sets.')
    .option('--json', 'print one JSON object on stdout and nothing else')
    .action(async (flags: { json?: boolean }) => {
      const { listData } = await import('@quern/pipeline');
      const { runCommand } = await import('../runCommand.ts');
      await runCommand(
        flags.json,
        async () => ({ sets: await listData() }),
        result => renderSets(result.sets),
      );
    });
  data
    .command('show')
    .description('Show one set and the beginning of its texts.')
    .argument('<set>', 'an id of `quern data list`')
    .option('--json', 'print one JSON object on stdout and nothing else')
    .action(async (set: string, flags: { json?: boolean }) => {
      const { showData } = await import('@quern/pipeline');
      const { runCommand } = await import('../runCommand.ts');
      await runCommand(
        flags.json,
        () => showData(set),
        result => `${renderSets([result.set])}\n\n${result.beginning}`,
      );
    });
  return data;
}

function renderSets(sets: readonly DataSetListing[]): string {
  const rows = sets.flatMap(set =>
    set.parts.map(part => [
      set.id,
      part.part,
      formatBytes(part.bytes),
      String(part.documents),
      set.licence,
      part.sha256.slice(0, 12),
    ]),
  );
  return table(['set', 'part', 'size', 'documents', 'licence', 'sha256'], rows);
}
