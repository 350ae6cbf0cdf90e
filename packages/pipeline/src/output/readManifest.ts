import { join } from 'node:path';
import { z } from 'zod';
import { readRecord } from './readRecord.ts';

export const MANIFEST_FILE = 'quern.json';

const figure = z.number().nullable();
const site = z.looseObject({
  name: z.string(),
  solver: z.string(),
  storageBits: z.number(),
  relativeOutputError: figure,
  durationMs: z.number(),
  convergence: z.object({ objectives: z.array(z.number()), stoppedBy: z.enum(['tolerance', 'sweeps']) }).optional(),
});
const manifest = z.looseObject({
  format: z.literal(1),
  versions: z.record(z.string(), z.unknown()),
  source: z.array(z.looseObject({ file: z.string(), sha256: z.string() })),
  recipe: z.record(z.string(), z.unknown()),
  calibration: z.unknown(),
  dtype: z.string(),
  storage: z.looseObject({
    originalBytes: z.number(),
    compressedBytes: z.number(),
    storedBytes: z.number(),
    bitsPerWeight: figure,
  }),
  perplexity: z
    .looseObject({
      data: z.string(),
      tokenCount: z.number(),
      before: z.number(),
      after: z.number(),
      standardError: z.number(),
      nllDifference: z.number(),
      nllDifferenceStandardError: z.number(),
    })
    .nullable(),
  sites: z.array(site),
  durationMs: z.number(),
  files: z.array(z.object({ path: z.string(), bytes: z.number() })),
});

/** The parts of a `quern.json` that a report is drawn from, and all others as they are. */
export type ResultManifest = z.infer<typeof manifest>;

/** What `compress` wrote about a folder. Errors: INVALID_CONFIG naming the file and the field that is wrong or missing. */
export function readManifest(folder: string): Promise<ResultManifest> {
  return readRecord(join(folder, MANIFEST_FILE), manifest, 'Name a folder that quern compress has written.');
}
