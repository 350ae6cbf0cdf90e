import type { Emit, StudyGridInput, StudyPreview } from '@quern/pipeline';
import { type Command, Option } from 'commander';
import { addCompressOptions, type CompressFlags } from '../compressFlags.ts';
import { figureNames } from '../figureNames.ts';
import { formatBytes } from '../format.ts';
import { names, numbers, wholeNumber } from '../options.ts';
import { table } from '../table.ts';

interface StudyFlags extends Omit<CompressFlags, 'bits' | 'calibration'> {
  readonly methods?: readonly string[];
  readonly bits?: readonly number[];
  readonly calibration?: readonly string[];
  readonly data?: readonly string[];
  readonly tasks?: readonly string[];
  readonly taskData?: string;
  readonly limit?: number;
}

/** What a study varies and what it measures on. */
const GRID = [
  new Option('--methods <list>', 'methods by commas, each name[+correction] (default: gptq)').argParser(names),
  new Option('--bits <list>', 'widths by commas (default: 8,4,3,2)').argParser(numbers),
  new Option('--calibration <list>', 'texts that calibrate, by commas (default: general,code,mixed,self)').argParser(
    names,
  ),
  new Option('--data <list>', 'texts to measure on, by commas (default: stories,prose,code)').argParser(names),
  new Option('--tasks <list>', 'tasks to measure on, see `quern evaluate --help`').argParser(names),
  new Option('--task-data <folder|file>', 'where their items are'),
  new Option('--limit <n>', 'take the first n items of each task').argParser(wholeNumber(1)),
];

export function studyCommand(): Command {
  const command = addCompressOptions('study', GRID).description(
    'Compress a model at many widths, on many calibrations, with many methods, and test which differences are real: study.json, study.md, recipe.yaml.',
  );
  return command.action(async (model: string, flags: StudyFlags, own: Command) => {
    const { parseStudyRecipe, planStudy, resolveGrid, study } = await import('@quern/pipeline');
    const { runCommand } = await import('../runCommand.ts');
    const { compressRequest, readRecipe } = await import('../compressRequest.ts');
    const file = flags.recipe === undefined ? null : parseStudyRecipe(await readRecipe(flags.recipe), flags.recipe);
    const base = await compressRequest(model, sharedFlags(flags), !flags.dryRun, file?.base ?? {});
    const request = { ...base, grid: resolveGrid({ ...file?.grid, ...gridFlags(flags) }) };
    const unused = UNUSED.filter(([, name]) => own.getOptionValueSource(name) === 'cli').map(([flag]) => flag);
    const warn = (emit: Emit): void => {
      if (unused.length === 0) return;
      const message = `${unused.join(', ')}: not used. A study has --methods, --bits and --calibration, and measures on --data and --tasks.`;
      emit({ kind: 'warning', message });
    };
    if (flags.dryRun) {
      const plan = ({ emit }: { readonly emit: Emit }) => {
        warn(emit);
        return planStudy(request, emit);
      };
      await runCommand(flags.json, plan, renderPreview);
      return;
    }
    await runCommand(
      flags.json,
      async ({ emit, signal }) => {
        warn(emit);
        const { study: found, report } = await study(request, emit, signal);
        return { ...found, report };
      },
      ({ report }) => report.trimEnd(),
    );
  });
}

/** Flags of one compression that a study has other flags for, and the names of their values. */
const UNUSED = [
  ['--method', 'method'],
  ['--bits-per-weight', 'bitsPerWeight'],
  ['--target-size', 'targetSize'],
  ['--max-perplexity-increase', 'maxPerplexityIncrease'],
  ['--ratio', 'ratio'],
  ['--statistics', 'statistics'],
  ['--evaluate', 'evaluate'],
  ['--layout', 'layout'],
] as const;

/** What all cells of a study share. */
function sharedFlags(flags: StudyFlags): CompressFlags {
  const dropped = new Set<string>(['bits', 'calibration', 'methods', ...UNUSED.map(([, name]) => name)]);
  const shared = Object.fromEntries(Object.entries(flags).filter(([name]) => !dropped.has(name)));
  return { ...(shared as unknown as CompressFlags), evaluate: 'none' };
}

function renderPreview({ cells }: StudyPreview): string {
  const lines = cells.map(({ method, bits, calibration, storedBytes, bitsPerWeight, figure }) => [
    method,
    String(bits),
    calibration ?? '-',
    formatBytes(storedBytes),
    bitsPerWeight === null ? '-' : bitsPerWeight.toFixed(3),
    figureNames[figure],
  ]);
  return table(['method', 'bits', 'calibration', 'stored', 'bits per weight', 'figure'], lines);
}

function gridFlags(flags: StudyFlags): StudyGridInput {
  const { methods, bits, calibration, data, tasks, taskData, limit, windowLength, perDocument } = flags;
  const given = { methods, bits, calibration, data, tasks, taskData, limit, windowLength, perDocument };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as StudyGridInput;
}
