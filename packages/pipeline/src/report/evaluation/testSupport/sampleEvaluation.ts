import { uniformNumbers } from '@quern/core';
import type { DamagedToken, DocumentScore, EvaluationReport } from '../evaluationReport.ts';

const TEXT =
  'Once upon a time, there was a <b>bee</b> & a bird.\nThey lived in a small house near the sea, and every morning they flew out to look for “honey” and crumbs. ';

/** An evaluation as it comes out in practice; `text` stands in every damaged document. */
export function sampleEvaluation(
  options: { documentCount?: number; text?: string; model?: string } = {},
): EvaluationReport {
  const { documentCount = 120, text = TEXT.repeat(4), model = 'out/demo-q3' } = options;
  const uniform = uniformNumbers(3);
  const documents: DocumentScore[] = Array.from({ length: documentCount }, () => {
    const before = 2.5 + uniform() + uniform();
    const rise = 0.1 * uniform() ** 2 - 0.03;
    const lost = Math.floor(14 * uniform());
    return {
      tokenCount: 200,
      before,
      after: before + rise,
      klDivergence: 0.1 * uniform(),
      lost,
      gained: Math.floor(9 * uniform()),
    };
  });
  const tokens: DamagedToken[] = text.split(/(?= )/).map((piece, index) => ({
    text: piece,
    isScored: index > 2,
    divergence: 3 * uniform() ** 6,
    details: {
      before: uniform(),
      after: uniform() ** 2,
      topBefore: ' the',
      topAfter: '\n',
      confidenceBefore: 0.4,
      confidenceAfter: 0.3,
    },
  }));
  const worst = documents
    .map(({ before, after }, window) => ({ window, rise: after - before }))
    .toSorted((a, b) => b.rise - a.rise);
  const figures = {
    perplexity: 31.4,
    standardError: 1.1,
    wordPerplexity: 220,
    wordPerplexityStandardError: 15,
    bitsPerByte: 1.58,
    bitsPerByteStandardError: 0.019,
    accuracy: 0.32,
    accuracyStandardError: 0.005,
    calibrationError: 0.04,
    calibrationErrorStandardError: 0.004,
  };
  const test = { low: 0.07, high: 0.1, pValue: 0.0002, adjustedPValue: 0.0003 };
  return {
    version: '0.1.0',
    model,
    baseline: 'models/demo',
    data: { id: 'stories', sha256: '0c1b'.repeat(16) },
    windowLength: 256,
    stride: 256,
    perDocument: true,
    device: 'cpu',
    evaluation: {
      ...figures,
      perplexity: 34.2,
      nllSum: 84_000,
      tokenCount: 24_000,
      wordCount: 15_000,
      baseline: {
        ...figures,
        nllDifference: 0.085,
        nllDifferenceStandardError: 0.0076,
        klDivergence: 0.123,
        klDivergenceStandardError: 0.0025,
        klPercentile99: 0.845,
        klPercentile99StandardError: 0.027,
        klMaximum: 4.21,
        klMaximumAt: { window: 40, scoredToken: 214 },
        topAgreement: 0.8,
        topAgreementStandardError: 0.0043,
        topFiveAgreement: 0.987,
        topFiveAgreementStandardError: 0.0012,
        accuracyDifference: -0.0103,
        accuracyDifferenceStandardError: 0.002,
        calibrationErrorDifference: 0.004,
        calibrationErrorDifferenceStandardError: 0.0019,
        flips: { lost: 375, gained: 265, perDocument: 14.2, perDocumentStandardError: 0.55, documentsDamaged: 2 },
        tests: [
          { figure: 'nll', test: 'paired bootstrap', difference: 0.085, ...test },
          { figure: 'accuracy', test: 'McNemar', difference: -0.0103, ...test },
          { figure: 'calibrationError', test: 'paired bootstrap', difference: 0.004, ...test },
        ],
        seed: 0,
      },
    },
    documents,
    damaged: worst.slice(0, Math.min(6, documentCount)).map(({ window }) => ({ window, tokens })),
  };
}
