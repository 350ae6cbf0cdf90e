import type { EChartsCoreOption } from 'echarts/core';
import { axisTicks } from './axisTicks.ts';
import type { Comparison } from './comparison.ts';
import { formatBytes } from './formatBytes.ts';
import { formatFigure } from './formatFigure.ts';
import { FRONT_NAME, originalName, paretoSeries } from './paretoSeries.ts';
import { plotAxis, type Tick } from './plotAxis.ts';
import { type LegendEntry, plotLegend } from './plotLegend.ts';
import type { PlotPoints } from './plotPoints.ts';
import { renderSvg } from './renderSvg.ts';
import { seriesStyle } from './seriesStyle.ts';

/** One drawing of the plot: for a wide page, or for a phone. */
interface Format {
  readonly id: string;
  readonly width: number;
  readonly plotHeight: number;
  readonly fontSize: number;
  readonly sizeTicks: number;
  readonly valueTicks: number;
}

const WIDE: Format = { id: 'pareto-wide', width: 1140, plotHeight: 440, fontSize: 14, sizeTicks: 12, valueTicks: 9 };
const NARROW: Format = { id: 'pareto-narrow', width: 370, plotHeight: 320, fontSize: 12, sizeTicks: 5, valueTicks: 7 };

/** The measure against stored bytes, a line for each family of methods: drawn twice, and the page shows the one that fits. */
export function paretoPlot(comparison: Comparison, data: PlotPoints): string {
  return [WIDE, NARROW]
    .map(format => `<div class="${format === WIDE ? 'wide' : 'narrow'}">${drawn(comparison, data, format)}</div>`)
    .join('\n');
}

function drawn(comparison: Comparison, data: PlotPoints, format: Format): string {
  const { fontSize } = format;
  const series = paretoSeries(data, fontSize);
  const top = 4 * fontSize;
  const legendTop = top + format.plotHeight + 3.8 * fontSize;
  const legend = legendOf(data, { ...format, top: legendTop });
  const option: EChartsCoreOption = {
    textStyle: { fontFamily: 'system-ui, sans-serif', fontSize },
    grid: {
      left: format === WIDE ? 78 : 62,
      right: 14,
      top,
      height: format.plotHeight,
      outerBoundsMode: 'none',
    },
    legend: legend.option,
    ...axesOf(comparison, data, format),
    series: series.map(({ option }) => option),
  };
  const kind = data.valueScale.logarithmic ? 'on a logarithmic axis' : 'on a linear axis';
  return renderSvg({
    id: format.id,
    width: format.width,
    height: Math.round(legendTop + legend.height),
    description:
      `Plot of ${data.measure.name} ${kind} against stored bytes: ${data.points.length} rows of ` +
      `${data.families.length} methods. The table below holds the same figures.`,
    option,
    titleOf: (seriesIndex, dataIndex) => series[seriesIndex]?.points[dataIndex]?.title ?? null,
  });
}

/** Stored bytes below, bits per weight above, the measure at the left; ticks are set by hand so that they are round in all three. */
function axesOf(comparison: Comparison, data: PlotPoints, format: Format): EChartsCoreOption {
  const { sizeScale, valueScale, measure } = data;
  const { fontSize } = format;
  const bytesPerBit = comparison.model.elementCount / 8;
  const sizes = axisTicks(sizeScale.minimum, sizeScale.maximum, {
    logarithmic: sizeScale.logarithmic,
    count: format.sizeTicks,
  });
  const bits = axisTicks(sizeScale.minimum / bytesPerBit, sizeScale.maximum / bytesPerBit, {
    logarithmic: sizeScale.logarithmic,
    count: format.sizeTicks,
  });
  const values = axisTicks(valueScale.minimum, valueScale.maximum, {
    logarithmic: valueScale.logarithmic,
    count: format.valueTicks,
  });
  const scale = valueScale.logarithmic ? ' (logarithmic)' : '';
  const axis = (name: string, nameGap: number, ticks: readonly Tick[]) => plotAxis({ name, nameGap, fontSize, ticks });
  const sizeEnds = ends(sizeScale);
  const bytesAxis = axis(
    'stored bytes',
    1.9 * fontSize,
    sizes.map(size => [sizeScale.position(size), shortBytes(size)]),
  );
  const bitsAxis = axis(
    'bits per weight',
    1.9 * fontSize,
    bits.map(bit => [sizeScale.position(bit * bytesPerBit), String(bit)]),
  );
  const valueAxis = axis(
    `${measure.name}${scale}`,
    format === WIDE ? 52 : 38,
    values.map(value => [valueScale.position(value), shortFigure(value)]),
  );
  const grid = { show: true, lineStyle: { color: 'var(--grid)' } };
  return {
    xAxis: [
      { ...bytesAxis, ...sizeEnds, position: 'bottom', splitLine: grid },
      { ...bitsAxis, ...sizeEnds, position: 'top', show: comparison.model.elementCount > 0 },
    ],
    yAxis: [{ ...valueAxis, ...ends(valueScale), splitLine: grid }],
  };
}

function ends(scale: PlotPoints['sizeScale']): { min: number; max: number } {
  return { min: scale.position(0), max: scale.position(Number.MAX_VALUE) };
}

/** `2.5 MB`, `10 MB`: without the zeros of {@link formatBytes}. */
function shortBytes(bytes: number): string {
  const [value, unit] = formatBytes(bytes).split(' ') as [string, string];
  return `${Number(value)} ${unit}`;
}

function shortFigure(value: number): string {
  return value >= 1e6 || value < 1e-4 ? formatFigure(value, 1) : String(value);
}

function legendOf(data: PlotPoints, { top, width, fontSize }: Format & { readonly top: number }) {
  const { original } = data.measure;
  const entries: LegendEntry[] = [
    ...data.families.map((name, index) => ({
      name,
      ...(seriesStyle(index).hollow ? { itemStyle: { color: 'var(--surface)' } } : {}),
    })),
    { name: FRONT_NAME, lineStyle: { width: 7 }, itemStyle: { opacity: 0 } },
    ...(original === null
      ? []
      : [{ name: originalName(original), lineStyle: { width: 1.5 }, itemStyle: { opacity: 0 } }]),
  ];
  return plotLegend(entries, { top, width, fontSize });
}
