import { z } from 'zod';

export const STATISTICS_FILE = 'statistics.json';
export const TOKENS_FILE = 'tokens.bin';

const sum = z.string().regex(/^[0-9a-f]{64}$/, { error: 'must be a sha256 sum' });
const count = z
  .number()
  .int()
  .min(1)
  .max(2 ** 40);

/** `statistics.json`: what was captured, from which model, on what. Files lie beside it, each with its sum. */
export const statisticsManifestSchema = z.strictObject({
  format: z.literal('quern statistics 1'),
  /** One hash of everything that the capture is made from. */
  key: sum,
  versions: z.record(z.string(), z.string()),
  device: z.string(),
  model: z.strictObject({
    /** Of the graph, which also says in which arithmetic it runs. */
    graph: sum,
    /** Of the files, in their order. */
    files: z.array(z.strictObject({ file: z.string(), sha256: sum })),
  }),
  calibration: z.strictObject({
    id: z.string(),
    sha256: sum,
    sources: z.array(z.strictObject({ id: z.string(), sha256: sum, revision: z.string().optional() })),
    generated: z.strictObject({ temperature: z.number(), beginId: z.number() }).optional(),
    /** Of the windows; absent for feeds. */
    tokens: sum.optional(),
    /** Tokens a window, in tokens.bin; absent for feeds. */
    windowLength: count.optional(),
    /** Windows, or samples of feeds. */
    count,
    seed: z.number(),
  }),
  inputs: z.array(
    z.strictObject({
      /** The activation in the graph. */
      name: z.string(),
      inFeatures: count,
      tokenCount: count,
      /** Float64, little-endian: the Gram `[inFeatures, inFeatures]`, then the mean absolutes `[inFeatures]`. */
      file: z.string().regex(/^input-\d{1,6}\.bin$/, { error: 'must be a file such as input-0.bin' }),
      sha256: sum,
    }),
  ),
});

export type StatisticsManifest = z.output<typeof statisticsManifestSchema>;

/** Bytes of an input's file. */
export function inputFileBytes(inFeatures: number): number {
  return 8 * (inFeatures ** 2 + inFeatures);
}
