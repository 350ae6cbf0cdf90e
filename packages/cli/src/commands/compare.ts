import type { ComparisonPlan, Emit } from '@quern/pipeline';
import { type Command, Option } from 'commander';
import { addCompressOptions, type CompressFlags } from '../compressFlags.ts';
import { figureNames } from '../figureNames.ts';
import { formatBytes } from '../format.ts';
import { fractions, names } from '../options.ts';
import { renderComparison } from '../renderComparison.ts';
import { table } from '../table.ts';

interface CompareFlags extends CompressFlags {
  readonly ratios: readonly number[];
}

/** What a comparison varies; in compress the same flag is what a budget chooses among. */
const ROWS = [
  new Option('--methods <list>', 'the rows, by commas, each name[:bits[:group]][+correction]').argParser(names),
];

export function compareCommand(): Command {
  const command = addCompressOptions('compare', ROWS)
    .description('Compress a model in many ways and compare what was written: a table, results.json, report.html.')
    .option('--ratios <list>', 'fractions to remove, for methods that take one', fractions, [0.2, 0.4, 0.6, 0.8]);
  return command.action(async (model: string, flags: CompareFlags) => {
    const { compare, planComparison } = await import('@quern/pipeline');
    const { runCommand } = await import('../runCommand.ts');
    const { compressRequest } = await import('../compressRequest.ts');
    const request = {
      ...(await compressRequest(model, ownFlags(flags), !flags.dryRun)),
      methods: flags.methods ?? [],
      ratios: flags.ratios,
    };
    const unused = unusedFlags(flags);
    const warn = (emit: Emit): void => {
      if (unused.length === 0) return;
      const message = `${unused.join(', ')}: not used. Each of --methods says its own, as name:bits:group; ratios are those of --ratios.`;
      emit({ kind: 'warning', message });
    };
    if (flags.dryRun) {
      const plan = ({ emit }: { readonly emit: Emit }) => {
        warn(emit);
        return planComparison(request, emit);
      };
      await runCommand(flags.json, plan, renderComparisonPlan);
      return;
    }
    await runCommand(
      flags.json,
      async ({ emit, signal }) => {
        warn(emit);
        const { comparison, report } = await compare(request, emit, signal);
        return { ...comparison, report };
      },
      renderComparison,
    );
  });
}

/** The flags that hold for every row. */
function ownFlags({
  methods: _methods,
  bitsPerWeight: _bits,
  targetSize: _size,
  maxPerplexityIncrease: _increase,
  ...flags
}: CompareFlags): CompressFlags {
  return flags;
}

/** Flags of one compression that a comparison has other flags for. */
function unusedFlags(flags: CompareFlags): string[] {
  const { method, bits, bitsPerWeight, targetSize, maxPerplexityIncrease, groupSize, ratio } = flags;
  const given = {
    '--method': method,
    '--bits': bits,
    '--bits-per-weight': bitsPerWeight,
    '--target-size': targetSize,
    '--max-perplexity-increase': maxPerplexityIncrease,
    '--group-size': groupSize,
    '--ratio': ratio,
  };
  return Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [name]));
}

function renderComparisonPlan({ rows }: ComparisonPlan): string {
  const lines = rows.map(({ method, ratio, storedBytes, bitsPerWeight, figure }) => [
    method,
    ratio === null ? '-' : String(ratio),
    formatBytes(storedBytes),
    bitsPerWeight === null ? '-' : bitsPerWeight.toFixed(3),
    figureNames[figure],
  ]);
  return table(['method', 'ratio', 'stored', 'bits', 'figure'], lines);
}
