import { join } from 'node:path';
import { z } from 'zod';
import { rowScoresSchema } from '../evaluation/rowScoresSchema.ts';
import { readRecord } from '../output/readRecord.ts';
import type { Comparison } from '../report/comparison.ts';

export const RESULTS_FILE = 'results.json';
export const REPORT_FILE = 'report.html';

const figure = z.number().nullable();
const site = z.object({
  name: z.string(),
  solver: z.string(),
  storageBits: z.number(),
  elementCount: z.number(),
  relativeOutputError: figure,
  convergence: z.object({ objectives: z.array(z.number()), stoppedBy: z.enum(['tolerance', 'sweeps']) }).optional(),
});
const row = z.object({
  method: z.string(),
  ratio: figure,
  options: z.record(z.string(), z.unknown()),
  storedBytes: z.number(),
  bitsPerWeight: z.number(),
  relativeOutputError: figure,
  perplexity: figure,
  standardError: figure,
  klDivergence: figure,
  nllDifference: figure,
  nllDifferenceStandardError: figure,
  // Results of earlier versions have none.
  scores: rowScoresSchema.nullable().default(null),
  solveMs: z.number(),
  sites: z.array(site),
  failure: z.string().nullable(),
});
const text = z.object({ data: z.string(), windowLength: z.number() });
const comparison = z.object({
  version: z.string(),
  model: z.object({ path: z.string(), sha256: z.array(z.string()), elementCount: z.number() }),
  original: z.object({ perplexity: figure, bytes: z.number() }),
  evaluation: text.extend({ stride: z.number(), tokenCount: z.number() }).nullable(),
  calibration: text.extend({ windows: z.number(), sha256: z.string() }).nullable(),
  settings: z.record(z.string(), z.unknown()),
  rows: z.array(row),
}) satisfies z.ZodType<Comparison>;

/**
 * The comparison that stands in a folder, as `compare` wrote it.
 *
 * Errors: INVALID_CONFIG naming the file and the field that is wrong or missing.
 */
export function readComparison(folder: string): Promise<Comparison> {
  const advice = 'Name a folder that quern compare has written, or compress, or evaluate --report.';
  return readRecord(join(folder, RESULTS_FILE), comparison, advice);
}
