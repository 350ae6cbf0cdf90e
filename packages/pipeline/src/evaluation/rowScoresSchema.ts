import { z } from 'zod';
import type { RowScores } from '../report/evaluation/rowScores.ts';
import { areKnown, damagedSchema, documentsSchema } from './documentSchemas.ts';

const estimate = z.object({ value: z.number(), standardError: z.number() });
const side = z.object({
  perplexity: estimate,
  wordPerplexity: estimate.nullable(),
  bitsPerByte: estimate,
  accuracy: estimate,
  calibrationError: estimate,
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
    documents: documentsSchema,
    damaged: damagedSchema,
  })
  .refine(({ documents, damaged }) => areKnown(documents, damaged), {
    message: 'a damaged document is none of the documents',
  }) satisfies z.ZodType<RowScores>;
