import type { DataSetListing, PullResult } from '@quern/pipeline';
import { Command } from 'commander';
import { formatBytes } from '../format.ts';
import { table } from '../table.ts';

export function dataCommand(): Command {
  const data = new Command('data').description('The texts that come with Quern, and those of a model hub.');
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
  data
    .command('pull')
    .description('Download a set or a checkpoint from Hugging Face (or the mirror in HF_ENDPOINT) into the cache.')
    .argument(
      '<name>',
      'wikitext-2-raw, c4, redpajama-sample, the-stack-smol, humaneval, mbpp, or hf:organisation/model',
    )
    .option('--revision <commit|branch>', 'instead of the one that the set is pinned to')
    .option('--force', 'download again what is there')
    .option('--json', 'print one JSON object on stdout and nothing else')
    .action(async (name: string, flags: { revision?: string; force?: boolean; json?: boolean }) => {
      const { pullData } = await import('@quern/pipeline');
      const { runCommand } = await import('../runCommand.ts');
      await runCommand(flags.json, context => pullData({ ...flags, name }, context), renderPull);
    });
  return data;
}

function renderPull({ name, commit, folder, files }: PullResult): string {
  const rows = files.map(({ path, bytes, sha256 }) => [path, formatBytes(bytes), sha256]);
  return `${table(['file', 'size', 'sha256'], rows)}\n\n${name} at commit ${commit}: ${folder}`;
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
