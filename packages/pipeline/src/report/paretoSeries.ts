import type { CustomSeriesOption, LineSeriesOption, ScatterSeriesOption } from 'echarts/charts';
import { formatFigure } from './formatFigure.ts';
import type { PlotPoint, PlotPoints } from './plotPoints.ts';
import { seriesStyle } from './seriesStyle.ts';

/** A series of the plot and the points that its marks stand for. */
export interface DrawnSeries {
  readonly option: CustomSeriesOption | LineSeriesOption | ScatterSeriesOption;
  readonly points: readonly PlotPoint[];
}

/** The front's entry in the legend. */
export const FRONT_NAME = 'Pareto front';

const UP_ARROW = 'path://M5 0L10 6H6.5V12H3.5V6H0Z';
const QUIET = { emphasis: { disabled: true } } as const;

/** The marks of the Pareto plot, from the lowest layer to the highest; `fontSize` in units of the plot. */
export function paretoSeries(data: PlotPoints, fontSize: number): DrawnSeries[] {
  const inside = data.points.filter(point => !point.isOffScale);
  return [
    frontLine(data),
    ...(data.measure.original === null ? [] : [originalLine(data, data.measure.original)]),
    errorBars(
      data,
      inside.filter(point => point.standardError !== null),
    ),
    ...data.families.map((family, index) => familyLine(data, family, index)),
    frontMarks(
      data,
      inside.filter(point => point.isOnFront),
      fontSize,
    ),
    offScaleMarks(
      data,
      data.points.filter(point => point.isOffScale),
    ),
  ];
}

function place(data: PlotPoints, point: PlotPoint): [number, number] {
  return [data.sizeScale.position(point.storedBytes), data.valueScale.position(point.value)];
}

/** The best value to be had at each size: level until the next row of the front, then down. */
function frontLine(data: PlotPoints): DrawnSeries {
  const points = data.points.filter(point => point.isOnFront);
  const steps = points.map(point => place(data, point));
  const last = steps.at(-1);
  if (last) steps.push([data.sizeScale.position(Number.MAX_VALUE), last[1]]);
  const lineStyle = { color: 'var(--front)', width: 7, join: 'round' } as const;
  return {
    points: [],
    option: {
      type: 'line',
      ...QUIET,
      name: FRONT_NAME,
      step: 'end',
      data: steps,
      symbol: 'none',
      lineStyle,
      silent: true,
      z: 1,
    },
  };
}

function originalLine(data: PlotPoints, original: number): DrawnSeries {
  const level = data.valueScale.position(original);
  const lineStyle = { color: 'var(--muted)', width: 1.5, type: 'dashed' } as const;
  const ends = [0, Number.MAX_VALUE].map(size => [data.sizeScale.position(size), level]);
  const name = originalName(original);
  return {
    points: [],
    option: { type: 'line', ...QUIET, name, data: ends, symbol: 'none', lineStyle, silent: true, z: 2 },
  };
}

/** One standard error up and down. */
function errorBars(data: PlotPoints, points: readonly PlotPoint[]): DrawnSeries {
  const rows = points.map(point => [
    place(data, point)[0],
    data.valueScale.position(point.value - point.standardError!),
    data.valueScale.position(point.value + point.standardError!),
  ]);
  return {
    points,
    option: {
      type: 'custom',
      data: rows,
      encode: { x: 0, y: [1, 2] },
      clip: true,
      z: 3,
      renderItem: (parameters, api) => {
        const [x, low] = api.coord([api.value(0), api.value(1)]) as [number, number];
        const [, high] = api.coord([api.value(0), api.value(2)]) as [number, number];
        const family = data.families.indexOf(points[parameters.dataIndex]!.family);
        const path = `M${x - 3} ${low}H${x + 3}M${x} ${low}V${high}M${x - 3} ${high}H${x + 3}`;
        const style = { fill: 'none', stroke: seriesStyle(family).color, lineWidth: 1.2, opacity: 0.75 };
        // Without a size, ECharts keeps the path as it is written.
        return { type: 'path', shape: { pathData: path }, style };
      },
    },
  };
}

function familyLine(data: PlotPoints, family: string, index: number): DrawnSeries {
  const points = data.points.filter(point => point.family === family);
  const { color, symbol, hollow } = seriesStyle(index);
  // A line leaves the plot towards a row above it, and does not run along the edge between two of them.
  const isDrawn = (point: PlotPoint, position: number) =>
    !point.isOffScale ||
    [points[position - 1], points[position + 1]].some(neighbour => neighbour?.isOffScale === false);
  return {
    points,
    option: {
      type: 'line',
      ...QUIET,
      name: family,
      data: points.map((point, position) => ({
        value: isDrawn(point, position) ? place(data, point) : '-',
        ...(point.isOffScale ? { symbol: 'none' } : {}),
      })),
      symbol,
      symbolSize: 10,
      showAllSymbol: true,
      itemStyle: { color: hollow ? 'var(--surface)' : color, borderColor: color, borderWidth: hollow ? 2 : 0 },
      lineStyle: { color, width: 1.6, type: hollow ? 'dotted' : 'solid', opacity: 0.8 },
      z: 4,
    },
  };
}

function frontMarks(data: PlotPoints, points: readonly PlotPoint[], fontSize: number): DrawnSeries {
  const { position } = data.sizeScale;
  const [start, end] = [position(0), position(Number.MAX_VALUE)];
  const label = {
    show: true,
    formatter: ({ dataIndex }: { dataIndex: number }) => points[dataIndex]!.label,
    position: 'bottom',
    distance: 5,
    fontSize,
    color: 'var(--ink)',
    textBorderColor: 'var(--surface)',
    textBorderWidth: 3,
  } as const;
  return {
    points,
    option: {
      type: 'scatter',
      ...QUIET,
      data: points.map(point => ({
        value: place(data, point),
        label: { align: alignmentAt((position(point.storedBytes) - start) / (end - start)) },
      })),
      symbol: 'circle',
      symbolSize: 19,
      itemStyle: { color: 'none', borderColor: 'var(--ink)', borderWidth: 1.6 },
      label,
      labelLayout: { hideOverlap: true },
      z: 5,
    },
  };
}

/** A label near an end of the axis is written towards the middle, so that it does not leave the plot. */
function alignmentAt(fraction: number): 'left' | 'center' | 'right' {
  if (fraction < 0.15) return 'left';
  return fraction > 0.85 ? 'right' : 'center';
}

function offScaleMarks(data: PlotPoints, points: readonly PlotPoint[]): DrawnSeries {
  return {
    points,
    option: {
      type: 'scatter',
      ...QUIET,
      data: points.map(point => ({
        value: place(data, point),
        itemStyle: { color: seriesStyle(data.families.indexOf(point.family)).color },
      })),
      symbol: UP_ARROW,
      symbolSize: [11, 13],
      symbolOffset: [0, '50%'],
      z: 5,
    },
  };
}

/** The original's entry in the legend. */
export function originalName(original: number): string {
  return `original: ${formatFigure(original)}`;
}
