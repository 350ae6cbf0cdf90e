import { z } from 'zod';

/** How the factors of a low-rank weight are stored. */
export const factorOptions = {
  bits: z
    .union([z.int().min(2).max(8), z.literal(16)])
    .default(16)
    .describe('bits of the factors: 16 for float16, or a grid'),
  groupSize: z
    .union([z.literal('channel'), z.int().min(1)])
    .default(32)
    .describe('values of a factor that share one scale, where bits is below 16'),
};

const sizeOptions = {
  ratio: z.number().min(0).lt(1).optional().describe('fraction of the 16-bit weight that is removed'),
  rank: z.int().min(1).optional().describe('components kept, in place of a ratio'),
};

/** Options of every low-rank method: exactly one of ratio and rank, and how factors are stored. */
export const lowRankOptions = withOneSize(z.strictObject({ ...sizeOptions, ...factorOptions }));

/** What a caller gives. */
export type LowRankOptions = z.input<typeof lowRankOptions>;

/** Adds the rule that exactly one of ratio and rank is given. */
export function withOneSize<Shape extends typeof sizeOptions & z.ZodRawShape>(
  schema: z.ZodObject<Shape, z.core.$strict>,
): z.ZodObject<Shape, z.core.$strict> {
  const hasOne = ({ ratio, rank }: { ratio?: unknown; rank?: unknown }) =>
    (ratio === undefined) !== (rank === undefined);
  return schema.refine(hasOne, { path: ['ratio'], error: 'give one of ratio and rank' });
}
