import type { EvaluateResult } from '@quern/pipeline';
import { formatPerplexity, formatSigned } from './format.ts';
import { table } from './table.ts';

type Compared = NonNullable<EvaluateResult['baseline']>;

/** Figures that a model has alone, as rows: title, then how one is written. */
const ROWS: readonly (readonly [string, (figures: EvaluateResult | Compared) => string])[] = [
  ['perplexity', figures => withError(figures.perplexity, figures.standardError, formatPerplexity)],
  [
    'word perplexity',
    ({ wordPerplexity, wordPerplexityStandardError }) =>
      wordPerplexity === null ? '-' : withError(wordPerplexity, wordPerplexityStandardError!, formatPerplexity),
  ],
  [
    'bits per byte',
    figures => withError(figures.bitsPerByte, figures.bitsPerByteStandardError, value => value.toFixed(4)),
  ],
  ['next token right', figures => withError(figures.accuracy, figures.accuracyStandardError, percent)],
  ['calibration error', figures => withError(figures.calibrationError, figures.calibrationErrorStandardError, percent)],
];

/** What evaluate prints: figures with one standard error; with a baseline both models side by side and what changed between them. */
export function renderEvaluation(result: EvaluateResult): string {
  const { baseline } = result;
  const lines = [
    `${result.model} on ${result.data}: ${result.windowCount} windows, length ${result.windowLength}, stride ${result.stride}, ${result.device}`,
    `${result.tokenCount} tokens and ${result.wordCount} words scored; +- one standard error over windows`,
    '',
  ];
  if (baseline) lines.push(comparedTable(result, baseline));
  else
    lines.push(
      table(
        ['', 'result'],
        ROWS.map(([title, write]) => [title, write(result)]),
      ),
    );
  if (result.accuracyLevel !== null) {
    lines.push(
      `exact perplexity  ${formatPerplexity(result.exact)}  (as shipped: accuracy level ${result.accuracyLevel})`,
    );
  }
  if (baseline) lines.push('', ...distanceLines(baseline));
  if (result.report !== undefined) lines.push('', `report            ${result.report}`);
  return lines.join('\n');
}

function comparedTable(result: EvaluateResult, baseline: Compared): string {
  const differences = [
    '',
    '',
    '',
    withError(baseline.accuracyDifference, baseline.accuracyDifferenceStandardError, percent, true),
    withError(baseline.calibrationErrorDifference, baseline.calibrationErrorDifferenceStandardError, percent, true),
  ];
  const rows = ROWS.map(([title, write], index) => [title, write(baseline), write(result), differences[index]!]);
  const { nllDifference, nllDifferenceStandardError, nllSum, tokenCount } = { ...result, ...baseline };
  const nll = nllSum / tokenCount;
  const nats = (value: number): string => value.toFixed(5);
  const row = ['nats per token', nats(nll - nllDifference), nats(nll)];
  rows.unshift([...row, withError(nllDifference, nllDifferenceStandardError, nats, true)]);
  return table(['', 'baseline', 'result', 'difference (paired)'], rows);
}

function distanceLines(baseline: Compared): string[] {
  const { klMaximum, klMaximumAt, flips, tests, seed } = baseline;
  const nats = (value: number): string => value.toFixed(5);
  const share = (value: number, error: number): string => withError(value, error, percent);
  const at = `window ${klMaximumAt.window}, scored token ${klMaximumAt.scoredToken}`;
  const high = withError(baseline.klPercentile99, baseline.klPercentile99StandardError, value => value.toPrecision(3));
  return [
    `KL divergence     ${withError(baseline.klDivergence, baseline.klDivergenceStandardError, nats)} nats a token; 99 % below ${high}; largest ${klMaximum.toPrecision(3)} (${at})`,
    `same top token    ${share(baseline.topAgreement, baseline.topAgreementStandardError)}; still in the top five ${share(baseline.topFiveAgreement, baseline.topFiveAgreementStandardError)}`,
    `flips             ${flips.lost} lost, ${flips.gained} gained; ${withError(flips.perDocument, flips.perDocumentStandardError, value => value.toFixed(1))} a window; ${flips.documentsDamaged} windows lost more than chance`,
    '',
    table(
      ['tested', 'difference', '95 % interval', 'p', 'adjusted', 'test'],
      tests.map(({ figure, difference, low, high: above, pValue, adjustedPValue, test }) => [
        TESTED[figure],
        formatSigned(difference, 5),
        `${formatSigned(low, 5)} .. ${formatSigned(above, 5)}`,
        probability(pValue),
        probability(adjustedPValue),
        test,
      ]),
    ),
    `intervals: paired bootstrap over windows, seed ${seed}; adjusted: Benjamini-Hochberg`,
  ];
}

const TESTED: Readonly<Record<Compared['tests'][number]['figure'], string>> = {
  nll: 'nats per token',
  accuracy: 'next token right',
  calibrationError: 'calibration error',
};

function withError(value: number, error: number, format: (value: number) => string, isSigned = false): string {
  return `${isSigned && value >= 0 ? '+' : ''}${format(value)} +- ${format(error)}`;
}

function percent(value: number): string {
  return `${(100 * value).toFixed(2)} %`;
}

function probability(value: number): string {
  return value < 0.0001 ? '< 0.0001' : value.toFixed(4);
}
