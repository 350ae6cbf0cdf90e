import { z } from 'zod';
import { roundToNearestOptions } from './roundToNearestOptions.ts';

const { shrinkSearch: _, ...grid } = roundToNearestOptions.shape;

/** Options of HQQ: those of a grid, asymmetric unless said otherwise, and how errors count. */
export const hqqOptions = z.strictObject({
  ...grid,
  symmetric: grid.symmetric.default(false),
  norm: z
    .number()
    .min(0.1)
    .max(2)
    .default(0.7)
    .describe('power of an error that is added up; below 1 few outliers may err'),
  iterations: z.int().min(1).max(100).default(10).describe('steps at most; a grid that stays as it is ends them'),
});

/** What a caller gives: everything may be left out. */
export type HqqOptions = z.input<typeof hqqOptions>;
