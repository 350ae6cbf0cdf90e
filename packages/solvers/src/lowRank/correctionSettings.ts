import { z } from 'zod';
import { parseOptions } from '../parseOptions.ts';
import type { SolverOptions } from '../solver.ts';
import type { GridSolver } from './gridSolver.ts';

/** The options of a corrected method, the base's and the correction's in one schema, and what tells them apart again. Errors of `read`: INVALID_OPTION. */
export function correctionSettings<Shape extends z.ZodRawShape>(name: string, base: GridSolver, options: Shape) {
  const baseKeys = new Set(Object.keys(base.optionsSchema.shape));
  const optionsSchema = z.strictObject({ ...base.optionsSchema.shape, ...options });
  const read = (given: SolverOptions) => {
    const settings = parseOptions(optionsSchema, given, name) as Readonly<Record<string, unknown>> &
      z.output<z.ZodObject<Shape>>;
    const baseOptions = Object.fromEntries(Object.entries(settings).filter(([key]) => baseKeys.has(key)));
    return { settings, baseOptions };
  };
  return { optionsSchema, read };
}
