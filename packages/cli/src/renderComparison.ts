import type { Comparison, ComparisonRow } from '@quern/pipeline';
import { formatBytes, formatPerplexity, formatSeconds, formatSigned } from './format.ts';
import { table } from './table.ts';

const HEADER = [
  'method',
  'ratio',
  'stored',
  'bits',
  'output error',
  'perplexity',
  'nats/token (paired)',
  'KL',
  'solve',
];

/** Columns that a narrow terminal goes without; results.json has them all. */
const WIDE_ONLY = new Set(['nats/token (paired)', 'solve']);

/** The table that a comparison prints, on a terminal of so many columns, and why rows are missing. */
export function renderComparison(
  result: Comparison & { readonly report: string },
  columns: number = process.stdout.columns ?? Number.POSITIVE_INFINITY,
): string {
  const { original, evaluation, rows, report } = result;
  const cells = rows.map(renderRow);
  let lines = table(HEADER, cells);
  if (lines.split('\n').some(line => line.length > columns)) {
    const narrow = (row: readonly string[]): string[] => row.filter((_, index) => !WIDE_ONLY.has(HEADER[index]!));
    lines = table(narrow(HEADER), cells.map(narrow));
  }
  const measured =
    evaluation &&
    `${evaluation.data}, window ${evaluation.windowLength}, stride ${evaluation.stride}, ${evaluation.tokenCount} tokens`;
  const first =
    original.perplexity === null ? '' : `, perplexity ${formatPerplexity(original.perplexity)} (${measured})`;
  const failures = rows.flatMap(({ method, ratio, failure }) =>
    failure === null ? [] : [`${method}${ratio === null ? '' : ` at ${ratio}`} failed: ${failure}`],
  );
  return [
    `original  ${formatBytes(original.bytes)} at 16 bits${first}`,
    lines,
    ...failures,
    `report    ${report}`,
  ].join('\n');
}

function renderRow(row: ComparisonRow): string[] {
  const { perplexity, standardError, nllDifference, nllDifferenceStandardError, klDivergence, relativeOutputError } =
    row;
  const ratio = row.ratio === null ? '-' : String(row.ratio);
  if (row.failure !== null) return [row.method, ratio, 'failed', '', '', '', '', '', ''];
  return [
    row.method,
    ratio,
    formatBytes(row.storedBytes),
    row.bitsPerWeight.toFixed(3),
    relativeOutputError === null ? '-' : relativeOutputError.toFixed(4),
    withError(perplexity, standardError, formatPerplexity),
    withError(nllDifference, nllDifferenceStandardError, value => formatSigned(value, 4)),
    klDivergence === null ? '-' : klDivergence.toFixed(4),
    formatSeconds(row.solveMs / 1000),
  ];
}

function withError(value: number | null, error: number | null, format: (value: number) => string): string {
  if (value === null) return '-';
  return error === null ? format(value) : `${format(value)} +- ${format(error).replace(/^\+/, '')}`;
}
