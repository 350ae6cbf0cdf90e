import { z } from 'zod';
import { roundToNearestOptions } from './roundToNearestOptions.ts';

const { shrinkSearch: _, ...grid } = roundToNearestOptions.shape;

/** Options of AWQ: those of a grid, and what is searched. */
export const awqOptions = z.strictObject({
  ...grid,
  clip: z.boolean().default(true).describe('search narrower ranges, down to half of the full one'),
  inputScaleBits: z
    .union([z.literal(0), z.literal(16)])
    .default(16)
    .describe('what a value of the input scale takes in the file: 0 where it folds into what gives the input'),
});

/** What a caller gives: everything may be left out. */
export type AwqOptions = z.input<typeof awqOptions>;
