import { z } from 'zod';

/** Options of AQLM: how many bits, how they are spent, and how long to look. */
export const aqlmOptions = z.strictObject({
  bits: z
    .number()
    .min(1)
    .max(8)
    .default(2)
    .describe('bits of the codes per weight; code words and scales come on top. group * bits must be a whole number'),
  group: z
    .int()
    .min(1)
    .max(16)
    .optional()
    .describe('inputs that one code word covers; chosen by what the codebooks take unless given'),
  codebooks: z.int().min(1).max(16).optional().describe('words that are added up; chosen unless given'),
  codebookBits: z.int().min(1).max(16).optional().describe('bits of a code; a codebook has 2^codebookBits words'),
  beam: z.int().min(1).max(16).default(8).describe('sums that the search over codes keeps'),
  sweeps: z.int().min(1).max(50).default(8).describe('rounds of words, codes and scales at most'),
  dampingFraction: z.number().positive().max(10).default(0.01).describe('added to the diagonal, share of its mean'),
  seed: z.int().min(0).default(0).describe('draws what the code words start from'),
});

/** What a caller gives: everything may be left out. */
export type AqlmOptions = z.input<typeof aqlmOptions>;

/** Checked, with defaults. */
export type AqlmSettings = z.output<typeof aqlmOptions>;
