import { z } from 'zod';

const common = (sweeps: number) => ({
  ratio: z.number().min(0).lt(1).describe('fraction of the 16-bit weight that is removed'),
  sweeps: z.int().min(1).max(200).default(sweeps).describe('rounds of coefficients, then atoms'),
});

const ATOMS_PER_NONZERO = 'atoms for each nonzero coefficient of an output';

/** Options of COMPOT. */
export const compotOptions = z.strictObject({
  ...common(20),
  atomsPerNonzero: z.number().min(1).max(16).default(2).describe(ATOMS_PER_NONZERO),
});

/** Options of CoSpaDi. */
export const cospadiOptions = z.strictObject({
  ...compotOptions.shape,
  ...common(60),
  seed: z.int().min(0).default(0).describe('draws the rows that the atoms start from'),
});

/** Options of CoSpaDi's grouped variant. */
export const cospadiGroupedOptions = z.strictObject({
  ...cospadiOptions.shape,
  blocksPerGroup: z.int().min(1).max(64).default(2).describe('blocks that have the dictionary in common'),
});

/** What a caller gives. */
export type CospadiGroupedOptions = z.input<typeof cospadiGroupedOptions>;

/** Options of GeoPair. */
export const geopairOptions = z.strictObject({
  ...compotOptions.shape,
  ...common(40),
  blocksPerGroup: z.int().min(1).max(2).default(2).describe('blocks that have the dictionary in common'),
});

/** What a caller gives. */
export type GeopairOptions = z.input<typeof geopairOptions>;

/** Options of `dictionary`. */
export const dictionaryOptions = z.strictObject({
  ...common(40),
  atomsPerNonzero: z
    .number()
    .min(1)
    .max(16)
    .optional()
    .describe(`${ATOMS_PER_NONZERO}; chosen for each weight where it is not given`),
  bits: z
    .union([z.int().min(2).max(8), z.literal(16)])
    .default(16)
    .describe(
      'bits of a nonzero coefficient: 16 for float16, or a grid with a scale an output, or an atom over outputs',
    ),
  atomBits: z
    .union([z.int().min(2).max(8), z.literal(16)])
    .optional()
    .describe('bits of the dictionary: 16 for float16, or a grid; 4 where bits is below 16, else 16, unless given'),
  groupSize: z
    .union([z.literal('channel'), z.int().min(1)])
    .default('channel')
    .describe('inputs of an atom, or atoms over an output, that share one scale, where atomBits is below 16'),
});

/** What a caller gives. */
export type CompotOptions = z.input<typeof compotOptions>;

/** What a caller gives. */
export type CospadiOptions = z.input<typeof cospadiOptions>;

/** Options of ROCKET. */
export const rocketOptions = dictionaryOptions.omit({ sweeps: true, bits: true, atomBits: true, groupSize: true });

/** What a caller gives. */
export type RocketOptions = z.input<typeof rocketOptions>;

/** What a caller gives. */
export type DictionaryOptions = z.input<typeof dictionaryOptions>;
