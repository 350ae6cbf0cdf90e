import { CompressionError } from '@quern/core';
import { describeProblems } from '@quern/solvers';
import { stringify } from 'yaml';
import { z } from 'zod';
import { parseRecipe, type Recipe, type RecipeInput } from '../recipe.ts';

const list = z.array(z.string().min(1)).min(1);
const schema = z.strictObject({
  methods: list.default(['gptq']),
  bits: z.array(z.number().min(1).max(8)).min(1).default([8, 4, 3, 2]),
  calibration: list.default(['general', 'code', 'mixed', 'self']),
  data: list.default(['stories', 'prose', 'code']),
  tasks: z.array(z.string().min(1)).default([]),
  taskData: z.string().optional(),
  limit: z.int().min(1).optional(),
  windowLength: z.int().min(2).optional(),
  perDocument: z.boolean().default(false),
});

/** What a study varies and what it measures on. */
export type StudyGrid = z.infer<typeof schema>;
export type StudyGridInput = z.input<typeof schema>;

/** Checks a grid, fills in the defaults and leaves out what is named twice. Errors: INVALID_OPTION; USAGE for tasks without their data. */
export function resolveGrid(input: StudyGridInput): StudyGrid {
  const parsed = schema.safeParse(input);
  if (!parsed.success) {
    const problems = describeProblems(schema, parsed.error, input);
    throw new CompressionError('INVALID_OPTION', `Invalid study: ${problems.join('; ')}.`, { problems });
  }
  const { methods, bits, calibration, data, tasks, taskData } = parsed.data;
  if (tasks.length > 0 && taskData === undefined) {
    throw new CompressionError('USAGE', '--tasks needs --task-data <folder>: the folder with their JSON lines.');
  }
  const once = <Value>(values: readonly Value[]): Value[] => [...new Set(values)];
  return {
    ...parsed.data,
    methods: once(methods),
    bits: once(bits),
    calibration: once(calibration),
    data: once(data),
    tasks: once(tasks),
  };
}

/** A recipe file of a study: the recipe that all cells share and, under `study`, the grid. Errors: those of `parseRecipe`. */
export function parseStudyRecipe(
  text: string,
  source: string,
): { readonly grid: StudyGridInput; readonly base: RecipeInput } {
  const { study = {}, ...base } = parseRecipe(text, source) as RecipeInput & { readonly study?: StudyGridInput };
  return { grid: study, base };
}

/** The text from which `parseStudyRecipe` reads the same again. */
export function writeStudyRecipe(grid: StudyGrid, base: Recipe): string {
  return stringify({ study: grid, ...base });
}
