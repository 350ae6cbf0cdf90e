import { z } from 'zod';
import type { RowScores } from '../report/evaluation/rowScores.ts';

const estimate = z.object({ value: z.number(), standardError: z.number() });
const side = z.object({
  perplexity: estimate,
  wordPerplexity: estimate.nullable(),
  bitsPerByte: estimate,
  accuracy: estimate,
  calibrationError: estimate,
});
const details = z.object({
  before: z.number(),
  after: z.number(),
  topBefore: z.string(),
  topAfter: z.string(),
  confidenceBefore: z.number(),
  confidenceAfter: z.number(),
});
const token = z.object({
  text: z.string(),
  isScored: z.boolean(),
  divergence: z.number(),
  details: details.nullable(),
});
const document = z.object({
  tokenCount: z.number(),
  before: z.number(),
  after: z.number(),
  klDivergence: z.number(),
  lost: z.number(),
  gained: z.number(),
});

/** What a row of results.json says of its scores. */
export const rowScoresSchema = z
  .object({
    before: side,
    after: side,
    klDivergence: estimate,
    klPercentile99: estimate,
    klMaximum: z.number(),
    topAgreement: estimate,
    topFiveAgreement: estimate,
    flips: z.object({ lost: z.number(), gained: z.number(), perDocument: estimate }),
    low: z.number(),
    high: z.number(),
    pValue: z.number(),
    adjustedPValue: z.number(),
    documents: z.array(document),
    damaged: z.array(z.object({ window: z.int().nonnegative(), tokens: z.array(token) })),
  })
  .refine(({ documents, damaged }) => damaged.every(({ window }) => window < documents.length), {
    message: 'a damaged document is none of the documents',
  }) satisfies z.ZodType<RowScores>;
