import type { EChartsCoreOption } from 'echarts/core';
import { axisTicks } from '../axisTicks.ts';
import { formatFigure } from '../formatFigure.ts';
import { plotAxis, type Tick } from '../plotAxis.ts';
import { renderSvg } from '../renderSvg.ts';
import type { DocumentScore } from './evaluationReport.ts';

interface Format {
  readonly id: string;
  readonly width: number;
  readonly height: number;
  readonly fontSize: number;
  readonly left: number;
  readonly ticks: number;
}

const WIDE: Format = { id: 'wide', width: 1140, height: 440, fontSize: 14, left: 78, ticks: 10 };
const NARROW: Format = { id: 'narrow', width: 370, height: 330, fontSize: 12, left: 74, ticks: 5 };

/** What is drawn. `id` is unique in a page; `marked` are indices of documents with a ring. */
export interface ScatterData {
  readonly id: string;
  readonly documents: readonly DocumentScore[];
  readonly marked: readonly number[];
  /** One small drawing for a grid of them. */
  readonly isSmall?: boolean;
}

/** A mark for each document: how hard it was before, and how much harder it became. Drawn twice, and the page shows the one that fits. */
export function documentScatter(data: ScatterData): string {
  if (data.isSmall) return `<div>${drawn(data, NARROW)}</div>`;
  return [WIDE, NARROW]
    .map(format => `<div class="${format === WIDE ? 'wide' : 'narrow'}">${drawn(data, format)}</div>`)
    .join('\n');
}

function drawn({ id, documents, marked }: ScatterData, format: Format): string {
  const { fontSize, left, width, height } = format;
  const rise = ({ before, after }: DocumentScore): number => after - before;
  const before = rangeOf(documents.map(document => document.before));
  const rises = rangeOf([0, ...documents.map(rise)]);
  const place = (document: DocumentScore): [number, number] => [document.before, rise(document)];
  const groups = [
    { name: 'harder', color: 'var(--series-1)', symbol: 'triangle', is: (value: number) => value > 0 },
    { name: 'easier', color: 'var(--series-0)', symbol: 'path://M0 0H10L5 10Z', is: (value: number) => value <= 0 },
  ].map(group => ({ ...group, documents: documents.filter(document => group.is(rise(document))) }));
  const ticksOf = ([minimum, maximum]: readonly [number, number], count: number): Tick[] =>
    axisTicks(minimum, maximum, { logarithmic: false, count }).map(value => [value, shortFigure(value)]);
  const axis = (name: string, nameGap: number, range: readonly [number, number], count: number) => ({
    ...plotAxis({ name, nameGap, fontSize, ticks: ticksOf(range, count) }),
    min: range[0],
    max: range[1],
    splitLine: { show: true, lineStyle: { color: 'var(--grid)' } },
  });
  const quiet = { emphasis: { disabled: true } } as const;
  const option: EChartsCoreOption = {
    textStyle: { fontFamily: 'system-ui, sans-serif', fontSize },
    grid: { left, right: 16, top: 14, bottom: 4 * fontSize, outerBoundsMode: 'none' },
    xAxis: axis('nats per token before', 1.9 * fontSize, before, format.ticks),
    yAxis: axis('nats per token more', left - 1.6 * fontSize, rises, 8),
    series: [
      {
        type: 'line',
        ...quiet,
        silent: true,
        symbol: 'none',
        data: before.map(value => [value, 0]),
        lineStyle: { color: 'var(--muted)', width: 1.5, type: 'dashed' },
      },
      ...groups.map(({ color, symbol, documents: members }) => ({
        type: 'scatter',
        ...quiet,
        symbol,
        symbolSize: fontSize * 0.7,
        itemStyle: { color, opacity: 0.75 },
        data: members.map(place),
      })),
      {
        type: 'scatter',
        ...quiet,
        silent: true,
        symbol: 'circle',
        symbolSize: fontSize * 1.5,
        itemStyle: { color: 'transparent', borderColor: 'var(--ink)', borderWidth: 1.5 },
        label: { show: true, position: 'right', color: 'var(--ink)', fontSize, formatter: labelOf },
        labelLayout: { hideOverlap: true },
        data: marked.map(index => place(documents[index]!)),
      },
    ],
  };
  return renderSvg({
    id: `${id}-${format.id}`,
    width,
    height,
    description: `Change of the loss of ${documents.length} documents against their loss before. The most damaged follow below.`,
    option,
    titleOf: (series, index) => titleOf(documents, groups[series - 1]?.documents[index]),
  });
}

/** Damaged documents are numbered from 1, the most damaged first. */
function labelOf({ dataIndex }: { readonly dataIndex: number }): string {
  return String(dataIndex + 1);
}

function titleOf(documents: readonly DocumentScore[], document: DocumentScore | undefined): string | null {
  if (document === undefined) return null;
  const { before, after, tokenCount, lost, gained, klDivergence } = document;
  return (
    `document ${documents.indexOf(document) + 1}: ${formatFigure(before)} to ${formatFigure(after)} nats per token, ` +
    `KL ${formatFigure(klDivergence, 3)}, ${lost} lost and ${gained} gained of ${tokenCount} tokens`
  );
}

function rangeOf(values: readonly number[]): readonly [number, number] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const margin = 0.05 * (high - low) || Math.abs(high) || 1;
  return [low - margin, high + margin];
}

function shortFigure(value: number): string {
  return value !== 0 && Math.abs(value) < 1e-4 ? formatFigure(value, 1) : String(value).replace('-', '−');
}
