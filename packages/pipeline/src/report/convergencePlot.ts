import type { LineSeriesOption } from 'echarts/charts';
import type { EChartsCoreOption } from 'echarts/core';
import { axisScale } from './axisScale.ts';
import { axisTicks } from './axisTicks.ts';
import type { ConvergenceCurve } from './convergenceCurves.ts';
import { formatFigure } from './formatFigure.ts';
import { plotAxis } from './plotAxis.ts';
import { plotLegend } from './plotLegend.ts';
import { renderSvg } from './renderSvg.ts';
import { seriesStyle } from './seriesStyle.ts';

/** A curve and the index of its style. */
export interface StyledCurve extends ConvergenceCurve {
  readonly style: number;
}

/** How large a plot is drawn. */
export interface ConvergenceFormat {
  readonly width: number;
  readonly plotHeight: number;
  readonly fontSize: number;
}

/** Marks along a curve, about so many. */
const MARKS = 6;

/** What is left over against sweeps, a line for each curve with a ring at its end for what is stored; `id` is unique in a page. */
export function convergencePlot(id: string, curves: readonly StyledCurve[], format: ConvergenceFormat): string {
  const { width, plotHeight, fontSize } = format;
  const left = 5.8 * fontSize;
  const top = fontSize;
  const legendTop = top + plotHeight + 3.6 * fontSize;
  const legend = plotLegend(
    curves.map(({ name, style }) => ({
      name,
      ...(seriesStyle(style).hollow ? { itemStyle: { color: 'var(--surface)' } } : {}),
    })),
    { top: legendTop, width, fontSize },
  );
  const values = axisScale(
    curves.flatMap(({ means, stored }) => [...means, stored]),
    { logarithmicFrom: 1, margin: 0.05 },
  );
  const lastSweep = Math.max(1, ...curves.map(({ means }) => means.length - 1));
  const sweeps = axisTicks(0, lastSweep, { logarithmic: false, count: width > 600 ? 13 : 7 }).filter(Number.isInteger);
  const ticks = axisTicks(values.minimum, values.maximum, { logarithmic: values.logarithmic, count: 8 });
  const ends = [values.position(0), values.position(Number.MAX_VALUE)] as const;
  const grid = { show: true, lineStyle: { color: 'var(--grid)' } };
  const option: EChartsCoreOption = {
    textStyle: { fontFamily: 'system-ui, sans-serif', fontSize },
    grid: { left, right: 1.2 * fontSize, top, height: plotHeight, outerBoundsMode: 'none' },
    legend: legend.option,
    xAxis: {
      ...plotAxis({
        name: 'sweeps',
        nameGap: 1.9 * fontSize,
        fontSize,
        ticks: sweeps.map(value => [value, String(value)]),
      }),
      min: 0,
      max: lastSweep,
      splitLine: grid,
    },
    yAxis: {
      ...plotAxis({
        name: 'share left over (logarithmic)',
        nameGap: 4.1 * fontSize,
        fontSize,
        ticks: ticks.map(value => [values.position(value), tickText(value)]),
      }),
      min: ends[0],
      max: ends[1],
      splitLine: grid,
    },
    series: curves.flatMap(curve => [lineOf(curve, values.position), storedMark(curve, values.position, fontSize)]),
  };
  return renderSvg({
    id,
    width,
    height: Math.round(legendTop + legend.height),
    description: `Convergence: ${curves.map(titleOf).join('; ')}.`,
    option,
    titleOf: series => (series % 2 === 1 ? titleOf(curves[series >> 1]!) : null),
  });
}

function lineOf({ name, means, style }: StyledCurve, position: (value: number) => number): LineSeriesOption {
  const { color, symbol, hollow } = seriesStyle(style);
  const every = Math.max(1, Math.round((means.length - 1) / MARKS));
  const last = means.length - 1;
  return {
    type: 'line',
    name,
    silent: true,
    emphasis: { disabled: true },
    data: means.map((mean, sweep) => ({
      value: [sweep, position(mean)],
      symbol: sweep % every === 0 && sweep < last ? symbol : 'none',
    })),
    symbol,
    symbolSize: 7,
    showAllSymbol: true,
    itemStyle: { color: hollow ? 'var(--surface)' : color, borderColor: color, borderWidth: hollow ? 2 : 0 },
    lineStyle: { color, width: 2, join: 'round', type: hollow ? 'dotted' : 'solid' },
    z: 3,
  };
}

/** A ring at the end of a curve, joined to it where rounding moved it. */
function storedMark(
  { means, stored, style }: StyledCurve,
  position: (value: number) => number,
  fontSize: number,
): LineSeriesOption {
  const { color } = seriesStyle(style);
  const sweep = means.length - 1;
  return {
    type: 'line',
    emphasis: { disabled: true },
    data: [
      { value: [sweep, position(stored)], symbol: 'circle' },
      { value: [sweep, position(means[sweep] ?? stored)], symbol: 'none' },
    ],
    symbolSize: 0.85 * fontSize,
    showAllSymbol: true,
    clip: false,
    itemStyle: { color: 'var(--surface)', borderColor: color, borderWidth: 2.5 },
    lineStyle: { color, width: 2, type: 'dotted' },
    z: 4,
  };
}

function titleOf({ name, means, stored, siteCount, settledCount }: ConvergenceCurve): string {
  const sites = siteCount === 1 ? '1 site' : `mean of ${siteCount} sites`;
  const settled = settledCount === 0 ? '' : `, ${settledCount} settled before`;
  return `${name}: ${formatFigure(means[0] ?? stored, 3)} to ${formatFigure(means.at(-1) ?? stored, 3)} in ${means.length} measurements, ${formatFigure(stored, 3)} as stored (${sites}${settled})`;
}

function tickText(value: number): string {
  return value < 1e-4 ? formatFigure(value, 1) : String(value);
}
