import { z } from 'zod';
import type { DamagedDocument, DocumentScore } from '../report/evaluation/evaluationReport.ts';

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

export const documentsSchema = z.array(
  z.object({
    tokenCount: z.number(),
    before: z.number(),
    after: z.number(),
    klDivergence: z.number(),
    lost: z.number(),
    gained: z.number(),
  }),
) satisfies z.ZodType<DocumentScore[]>;

export const damagedSchema = z.array(
  z.object({ window: z.int().nonnegative(), tokens: z.array(token) }),
) satisfies z.ZodType<DamagedDocument[]>;

/** Whether every damaged document is one of the documents. */
export function areKnown(documents: readonly DocumentScore[], damaged: readonly DamagedDocument[]): boolean {
  return damaged.every(({ window }) => window < documents.length);
}
