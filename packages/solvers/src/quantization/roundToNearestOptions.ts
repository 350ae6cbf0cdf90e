import { z } from 'zod';

/** Options of round-to-nearest; every quantiser on a uniform grid takes them too. */
export const roundToNearestOptions = z.strictObject({
  bits: z.int().min(2).max(8).default(4).describe('bits of the grid'),
  groupSize: z
    .union([z.literal('channel'), z.int().min(1)])
    .default(32)
    .describe('inputs that share one scale: 16, 32, 64, 128, 256 or channel; the last group may be shorter'),
  symmetric: z.boolean().default(true).describe('one zero point, 2^(bits-1), for every group'),
  scaleType: z
    .enum(['auto', 'float16'])
    .default('auto')
    .describe(
      'auto: float32 for a weight whose scales leave the range of float16; float16: small scales are raised to 2^-14',
    ),
  shrinkSearch: z.boolean().default(false).describe('search ranges down to a fifth of the full one'),
});

/** What a caller gives: everything may be left out. */
export type RoundToNearestOptions = z.input<typeof roundToNearestOptions>;
