import type { StudyGridInput } from '@quern/pipeline';
import type { Command } from 'commander';
import { addCompressOptions, type CompressFlags } from '../compressFlags.ts';
import { names, numbers, wholeNumber } from '../options.ts';

interface StudyFlags extends Omit<CompressFlags, 'bits' | 'calibration' | 'evaluate' | 'dryRun'> {
  readonly methods?: readonly string[];
  readonly bits?: readonly number[];
  readonly calibration?: readonly string[];
  readonly data?: readonly string[];
  readonly tasks?: readonly string[];
  readonly taskData?: string;
  readonly limit?: number;
}

/** Flags of compress that a study has others for, or no use. */
const OWN = [
  '--method',
  '--bits',
  '--bits-per-weight',
  '--target-size',
  '--ratio',
  '--calibration',
  '--feeds',
  '--statistics',
  '--evaluate',
  '--layout',
  '--dry-run',
];

export function studyCommand(): Command {
  const command = addCompressOptions('study', OWN)
    .description(
      'Compress a model at many widths, on many calibrations, with many methods, and test which differences are real: study.json, study.md, recipe.yaml.',
    )
    .option('--methods <list>', 'methods by commas, each name[+correction] (default: gptq)', names)
    .option('--bits <list>', 'widths by commas (default: 8,4,3,2)', numbers)
    .option('--calibration <list>', 'texts that calibrate, by commas (default: general,code,mixed,self)', names)
    .option('--data <list>', 'texts to measure on, by commas (default: stories,prose,code)', names)
    .option('--tasks <list>', 'tasks to measure on, see `quern evaluate --help`', names)
    .option('--task-data <folder|file>', 'where their items are')
    .option('--limit <n>', 'take the first n items of each task', wholeNumber(1));
  return command.action(async (model: string, flags: StudyFlags) => {
    const { parseStudyRecipe, resolveGrid, study } = await import('@quern/pipeline');
    const { runCommand } = await import('../runCommand.ts');
    const { compressRequest, readRecipe } = await import('../compressRequest.ts');
    const file = flags.recipe === undefined ? null : parseStudyRecipe(await readRecipe(flags.recipe), flags.recipe);
    const { bits, calibration, ...others } = flags;
    const request = await compressRequest(model, { ...others, evaluate: 'none' }, true, file?.base ?? {});
    const grid = resolveGrid({ ...file?.grid, ...gridFlags(flags) });
    await runCommand(
      flags.json,
      ({ emit, signal }) => study({ ...request, grid }, emit, signal).then(result => ({ ...result, out: flags.out })),
      ({ report }) => report.trimEnd(),
    );
  });
}

function gridFlags(flags: StudyFlags): StudyGridInput {
  const { methods, bits, calibration, data, tasks, taskData, limit, windowLength, perDocument } = flags;
  const given = { methods, bits, calibration, data, tasks, taskData, limit, windowLength, perDocument };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as StudyGridInput;
}
