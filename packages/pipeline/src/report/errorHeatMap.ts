import type { EChartsCoreOption } from 'echarts/core';
import type { ComparisonRow } from './comparison.ts';
import { errorSteps, stepColor } from './errorSteps.ts';
import { escapeHtml } from './escapeHtml.ts';
import { formatFigure } from './formatFigure.ts';
import { renderSvg } from './renderSvg.ts';
import { rowLabel } from './rowLabel.ts';
import { type SiteColumn, siteColumns } from './siteColumns.ts';

const ROW_HEIGHT = 22;
const HEADER_HEIGHT = 24;
/** Width that a wide page leaves beside the names of the rows. */
const AVAILABLE_WIDTH = 950;
const FONT_SIZE = 12;

/** What the map shows of a row. */
type HeatRow = Pick<ComparisonRow, 'method' | 'ratio' | 'sites'>;

interface Cell {
  readonly column: number;
  readonly row: number;
  readonly error: number;
  readonly title: string;
}

/**
 * Relative output error of every site in every row: rows as in the table, columns by block. Null when no row holds such a figure. The
 * picture keeps its size and scrolls beside the names of its rows.
 */
export function errorHeatMap(allRows: readonly HeatRow[]): string | null {
  const rows = allRows.filter(row => row.sites.length > 0);
  const columns = siteColumns(rows);
  const cells = cellsOf(rows, columns);
  const steps = errorSteps(cells.map(cell => cell.error));
  if (steps.length === 0) return null;
  const cellWidth = Math.min(ROW_HEIGHT, Math.max(2.75, AVAILABLE_WIDTH / columns.length));
  const hasTypes = cellWidth >= 13;
  const types = columns.map(column => column?.type ?? '');
  const footerHeight = hasTypes ? 14 + 0.6 * FONT_SIZE * Math.max(...types.map(type => Math.min(type.length, 24))) : 4;
  const svg = renderSvg({
    id: 'errors',
    fixedSize: true,
    width: Math.ceil(cellWidth * columns.length) + 2,
    height: Math.ceil(HEADER_HEIGHT + ROW_HEIGHT * rows.length + footerHeight),
    description:
      `Heat map of the relative output error of ${columns.filter(column => column !== null).length} sites in ` +
      `${rows.length} rows, from ${figureOf(cells, Math.min)} to ${figureOf(cells, Math.max)}.`,
    option: {
      textStyle: { fontFamily: 'system-ui, sans-serif', fontSize: FONT_SIZE },
      grid: { left: 1, right: 1, top: HEADER_HEIGHT, height: ROW_HEIGHT * rows.length, outerBoundsMode: 'none' },
      ...axesOf(columns, rows.length, { cellWidth, hasTypes }),
      visualMap: { type: 'piecewise', show: false, dimension: 2, pieces: piecesOf(steps) },
      series: [
        {
          type: 'heatmap',
          emphasis: { disabled: true },
          data: cells.map(cell => [cell.column, cell.row, cell.error]),
          itemStyle: { borderColor: 'var(--surface)', borderWidth: cellWidth >= 8 ? 1 : 0 },
        },
      ],
    },
    titleOf: (_, index) => cells[index]!.title,
  });
  const names = rows.map(row => `<li title="${escapeHtml(rowLabel(row))}">${escapeHtml(rowLabel(row))}</li>`).join('');
  return [
    legendOf(steps, cells.length < rows.length * columns.filter(column => column !== null).length),
    '<div class="heat" role="region" aria-label="Errors by site" tabindex="0">',
    `<ol class="heat-rows" style="padding-top:${HEADER_HEIGHT}px">${names}</ol>`,
    `${svg}</div>`,
    hasTypes ? '' : `<p class="note">Inside each block, from left to right: ${orderOfTypes(columns)}.</p>`,
  ].join('\n');
}

function cellsOf(rows: readonly HeatRow[], columns: readonly SiteColumn[]): Cell[] {
  const columnOf = new Map(columns.map((column, index) => [column?.name ?? '', index]));
  return rows.flatMap((row, rowIndex) =>
    row.sites.flatMap(site => {
      const error = site.relativeOutputError;
      if (error === null || !Number.isFinite(error)) return [];
      const bits = site.elementCount > 0 ? site.storageBits / site.elementCount : null;
      const figures = `relative output error ${formatFigure(error, 3)}, ${formatFigure(bits, 3)} bits per weight`;
      const title = `${rowLabel(row)} · ${site.name}: ${figures} (${site.solver})`;
      return [{ column: columnOf.get(site.name)!, row: rowIndex, error, title }];
    }),
  );
}

function axesOf(
  columns: readonly SiteColumn[],
  rowCount: number,
  { cellWidth, hasTypes }: { readonly cellWidth: number; readonly hasTypes: boolean },
): EChartsCoreOption {
  const bare = { axisLine: { show: false }, axisTick: { show: false }, splitLine: { show: false } };
  const text = { color: 'var(--muted)', fontSize: FONT_SIZE, interval: 0 };
  const indices = columns.map((_, index) => String(index));
  const blocks = blockTexts(columns, cellWidth);
  const typeText = (index: string) => columns[Number(index)]?.type.slice(0, 24) ?? '';
  return {
    xAxis: [
      {
        ...bare,
        type: 'category',
        data: indices,
        position: 'bottom',
        axisLabel: { ...text, show: hasTypes, rotate: 90, formatter: typeText },
      },
      {
        ...bare,
        type: 'category',
        data: indices,
        position: 'top',
        axisLabel: {
          ...text,
          interval: (index: number) => blocks.has(index),
          formatter: (index: string) => blocks.get(Number(index)) ?? '',
        },
      },
    ],
    yAxis: {
      ...bare,
      type: 'category',
      inverse: true,
      data: Array.from({ length: rowCount }, (_, index) => String(index)),
      axisLabel: { show: false },
    },
  };
}

/** The name of each block over its middle column; only every n-th where they would touch. */
function blockTexts(columns: readonly SiteColumn[], cellWidth: number): Map<number, string> {
  const members = new Map<number, number[]>();
  columns.forEach((column, index) => {
    if (column && column.block !== null) members.set(column.block, [...(members.get(column.block) ?? []), index]);
  });
  const narrowest = Math.min(...[...members.values()].map(indices => indices.length + 1)) * cellWidth;
  const every = [1, 2, 5, 10, 20, 50, 100].find(step => step * narrowest >= 24) ?? 100;
  const hasRoom = narrowest >= 58;
  return new Map(
    [...members]
      .filter((_, position) => position % every === 0)
      .map(([block, indices]) => [indices[indices.length >> 1]!, hasRoom ? `block ${block}` : String(block)]),
  );
}

function piecesOf(steps: readonly number[]) {
  return steps.map((edge, index) => ({
    ...(index > 0 ? { gte: edge } : {}),
    lt: steps[index + 1] ?? Number.MAX_VALUE,
    color: stepColor(index, steps.length),
  }));
}

function legendOf(steps: readonly number[], hasMissing: boolean): string {
  const entries = steps.map((edge, index) => {
    const next = steps[index + 1];
    const text = next === undefined ? `from ${edge}` : index === 0 ? `below ${next}` : `${edge} to ${next}`;
    return `<li><span class="swatch" style="background:${stepColor(index, steps.length)}"></span>${text}</li>`;
  });
  const missing = hasMissing ? '<li><span class="swatch"></span>no figure</li>' : '';
  return `<ul class="legend" aria-label="Colours of the relative output error">${entries.join('')}${missing}</ul>`;
}

function orderOfTypes(columns: readonly SiteColumn[]): string {
  const first = columns.find(column => column?.block != null)?.block ?? null;
  const types = columns.filter(column => column !== null && column.block === first).map(column => column!.type);
  return types.map(escapeHtml).join(', ');
}

function figureOf(cells: readonly Cell[], pick: (a: number, b: number) => number): string {
  return formatFigure(
    cells.map(cell => cell.error).reduce((a, b) => pick(a, b)),
    3,
  );
}
