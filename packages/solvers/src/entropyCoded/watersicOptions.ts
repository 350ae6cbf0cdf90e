import { z } from 'zod';

/** Options of watersic: how many bits are stored, and how the recursion runs. */
export const watersicOptions = z.strictObject({
  bits: z
    .number()
    .min(0.1)
    .max(8)
    .default(4)
    .describe('stored bits per weight, side information counted; any real number'),
  dampingFraction: z.number().positive().max(10).default(0.01).describe('added to the diagonal, share of its mean'),
  deadZone: z
    .number()
    .min(0)
    .max(0.4)
    .optional()
    .describe('share of a step by which values are drawn towards zero before rounding; chosen by rate unless given'),
  inputScaleBits: z
    .union([z.literal(0), z.literal(16)])
    .default(16)
    .describe('what a value of the input scale takes in the file: 0 where it folds into what gives the input'),
});

/** What a caller gives: everything may be left out. */
export type WatersicOptions = z.input<typeof watersicOptions>;
