import { z } from 'zod';
import { roundToNearestOptions } from './roundToNearestOptions.ts';

/** Options of GPTQ: those of a grid, and how errors are carried on. */
export const gptqOptions = z.strictObject({
  ...roundToNearestOptions.shape,
  actOrder: z
    .boolean()
    .default(false)
    .describe('inputs with the largest energy first; grids then come from the original weight'),
  dampingFraction: z.number().positive().max(10).default(0.01).describe('added to the diagonal, share of its mean'),
  blockSize: z.int().min(1).max(1024).default(128).describe('columns per lazy update; does not change the result'),
});

/** What a caller gives: everything may be left out. */
export type GptqOptions = z.input<typeof gptqOptions>;
