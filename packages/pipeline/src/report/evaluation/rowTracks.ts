import type { Estimate } from '@quern/evaluator';
import { axisScale } from '../axisScale.ts';
import type { ComparisonRow } from '../comparison.ts';
import { escapeHtml } from '../escapeHtml.ts';
import { formatFigure } from '../formatFigure.ts';
import { rowLabel } from '../rowLabel.ts';
import type { RowScores } from './rowScores.ts';

/** A score of the rows: how it is read, the original's value where it has one, how it is written. */
interface Score {
  readonly name: string;
  readonly of: (scores: RowScores) => Estimate | null;
  readonly original: (scores: RowScores) => Estimate | null;
  readonly format: (value: number, digits: number) => string;
}

const percent = (value: number): string => `${(100 * value).toFixed(2)} %`;
const none = (): null => null;

const SCORES: readonly Score[] = [
  { name: 'perplexity', of: row => row.after.perplexity, original: row => row.before.perplexity, format: formatFigure },
  {
    name: 'word perplexity',
    of: row => row.after.wordPerplexity,
    original: row => row.before.wordPerplexity,
    format: formatFigure,
  },
  {
    name: 'bits per byte',
    of: row => row.after.bitsPerByte,
    original: row => row.before.bitsPerByte,
    format: formatFigure,
  },
  { name: 'next token right', of: row => row.after.accuracy, original: row => row.before.accuracy, format: percent },
  {
    name: 'calibration error',
    of: row => row.after.calibrationError,
    original: row => row.before.calibrationError,
    format: percent,
  },
  { name: 'KL divergence, nats per token', of: row => row.klDivergence, original: none, format: formatFigure },
  { name: 'KL divergence, 99 % of tokens below', of: row => row.klPercentile99, original: none, format: formatFigure },
  { name: 'same top token', of: row => row.topAgreement, original: none, format: percent },
  { name: 'flips a window', of: row => row.flips.perDocument, original: none, format: formatFigure },
];

const REACH = 1.96;

/** Each score of the original and of every row on one axis, with 95 % bars. */
export function rowTracks(rows: readonly (ComparisonRow & { readonly scores: RowScores })[]): string {
  const blocks = SCORES.flatMap(score => {
    const first = score.original(rows[0]!.scores);
    const entries = [
      ...(first ? [{ label: 'original', kind: 'before', estimate: first }] : []),
      ...rows.flatMap(row => {
        const estimate = score.of(row.scores);
        return estimate ? [{ label: rowLabel(row), kind: 'after', estimate }] : [];
      }),
    ];
    if (entries.length === 0) return [];
    const ends = entries.flatMap(({ estimate: { value, standardError } }) => [
      value,
      value - REACH * standardError,
      value + REACH * standardError,
    ]);
    const scale = axisScale(ends, { logarithmicFrom: 4 });
    const [start, end] = [scale.position(0), scale.position(Number.MAX_VALUE)];
    const place = (value: number): number => (100 * (scale.position(value) - start)) / (end - start);
    const lines = entries.map(({ label, kind, estimate: { value, standardError } }) => {
      const [left, right] = [place(value - REACH * standardError), place(value + REACH * standardError)];
      return (
        `<div class="score one"><dt>${escapeHtml(label)}</dt><dd class="values">${score.format(value, 4)} ± ${score.format(standardError, 2)}</dd>` +
        `<dd class="track" aria-hidden="true"><span class="bar ${kind}" style="left:${left.toFixed(2)}%;width:${(right - left).toFixed(2)}%"></span>` +
        `<span class="dot ${kind}" style="left:${place(value).toFixed(2)}%"></span></dd></div>`
      );
    });
    const kind = scale.logarithmic ? ' <span class="place">(logarithmic)</span>' : '';
    return [`<h3>${score.name}${kind}</h3>\n<dl class="scores">\n${lines.join('\n')}\n</dl>`];
  });
  return blocks.join('\n');
}
