import { join } from 'node:path';
import { z } from 'zod';
import { readRecord } from '../output/readRecord.ts';
import type { EvaluationReport } from '../report/evaluation/evaluationReport.ts';
import { areKnown, damagedSchema, documentsSchema } from './documentSchemas.ts';
import { EVALUATION_FILE } from './evaluationFolder.ts';

const number = z.number();
const figures = {
  perplexity: number,
  standardError: number,
  wordPerplexity: number.nullable(),
  wordPerplexityStandardError: number.nullable(),
  bitsPerByte: number,
  bitsPerByteStandardError: number,
  accuracy: number,
  accuracyStandardError: number,
  calibrationError: number,
  calibrationErrorStandardError: number,
};
const flips = z.object({
  lost: number,
  gained: number,
  perDocument: number,
  perDocumentStandardError: number,
  documentsDamaged: number,
});
const test = z.object({
  figure: z.enum(['nll', 'accuracy', 'calibrationError']),
  test: z.enum(['paired bootstrap', 'McNemar']),
  difference: number,
  low: number,
  high: number,
  pValue: number,
  adjustedPValue: number,
});
const baseline = z.object({
  ...figures,
  nllDifference: number,
  nllDifferenceStandardError: number,
  klDivergence: number,
  klDivergenceStandardError: number,
  klPercentile99: number,
  klPercentile99StandardError: number,
  klMaximum: number,
  klMaximumAt: z.object({ window: number, scoredToken: number }),
  topAgreement: number,
  topAgreementStandardError: number,
  topFiveAgreement: number,
  topFiveAgreementStandardError: number,
  accuracyDifference: number,
  accuracyDifferenceStandardError: number,
  calibrationErrorDifference: number,
  calibrationErrorDifferenceStandardError: number,
  flips,
  tests: z.array(test),
  seed: number,
});
const evaluationReport = z
  .object({
    version: z.string(),
    model: z.string(),
    baseline: z.string(),
    data: z.object({ id: z.string(), sha256: z.string() }),
    windowLength: number,
    stride: number,
    perDocument: z.boolean(),
    device: z.string(),
    evaluation: z.object({ ...figures, nllSum: number, tokenCount: number, wordCount: number, baseline }),
    documents: documentsSchema,
    damaged: damagedSchema,
  })
  .refine(({ documents, damaged }) => areKnown(documents, damaged), {
    message: 'a damaged document is none of the documents',
  }) satisfies z.ZodType<EvaluationReport>;

/** The evaluation that stands in a folder, as `evaluate --report` wrote it. Errors: INVALID_CONFIG naming the field that is wrong or missing. */
export function readEvaluation(folder: string): Promise<EvaluationReport> {
  return readRecord(
    join(folder, EVALUATION_FILE),
    evaluationReport,
    'Name a folder that evaluate --report has written.',
  );
}
