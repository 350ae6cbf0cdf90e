import type { Estimate, Evaluation, ModelFigures } from '@quern/evaluator';
import type { DamagedDocument, DocumentScore } from '../report/evaluation/evaluationReport.ts';
import type { RowScores, SideScores } from '../report/evaluation/rowScores.ts';

/** An evaluation against the original as a row of a comparison holds it; its p-value is not adjusted yet. */
export function rowScores(
  evaluation: Evaluation & { readonly baseline: NonNullable<Evaluation['baseline']> },
  documents: readonly DocumentScore[],
  damaged: readonly DamagedDocument[],
): RowScores {
  const { baseline } = evaluation;
  const { low, high, pValue } = baseline.tests.find(({ figure }) => figure === 'nll')!;
  const { flips } = baseline;
  return {
    before: sideScores(baseline),
    after: sideScores(evaluation),
    klDivergence: estimate(baseline.klDivergence, baseline.klDivergenceStandardError),
    klPercentile99: estimate(baseline.klPercentile99, baseline.klPercentile99StandardError),
    klMaximum: baseline.klMaximum,
    topAgreement: estimate(baseline.topAgreement, baseline.topAgreementStandardError),
    topFiveAgreement: estimate(baseline.topFiveAgreement, baseline.topFiveAgreementStandardError),
    flips: {
      lost: flips.lost,
      gained: flips.gained,
      perDocument: estimate(flips.perDocument, flips.perDocumentStandardError),
    },
    low,
    high,
    pValue,
    adjustedPValue: pValue,
    documents,
    damaged,
  };
}

function sideScores(figures: ModelFigures): SideScores {
  const { wordPerplexity, wordPerplexityStandardError } = figures;
  return {
    perplexity: estimate(figures.perplexity, figures.standardError),
    wordPerplexity: wordPerplexity === null ? null : estimate(wordPerplexity, wordPerplexityStandardError!),
    bitsPerByte: estimate(figures.bitsPerByte, figures.bitsPerByteStandardError),
    accuracy: estimate(figures.accuracy, figures.accuracyStandardError),
    calibrationError: estimate(figures.calibrationError, figures.calibrationErrorStandardError),
  };
}

function estimate(value: number, standardError: number): Estimate {
  return { value, standardError };
}
