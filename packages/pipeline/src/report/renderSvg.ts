import { createRequire } from 'node:module';
import type { EChartsCoreOption } from 'echarts/core';
import { escapeHtml } from './escapeHtml.ts';

// Required, ECharts is one file; imported, it is some hundreds, and every command would start a second later.
const { init } = createRequire(import.meta.url)('echarts') as typeof import('echarts');

export interface SvgPlot {
  /** Prefix of the ids inside; unique in a page. */
  readonly id: string;
  readonly width: number;
  readonly height: number;
  /** What the plot shows, for those who do not see it. */
  readonly description: string;
  readonly option: EChartsCoreOption;
  /** The text that a mark shows under the pointer; null for none. */
  readonly titleOf: (seriesIndex: number, dataIndex: number) => string | null;
  /** Keeps its size in pixels instead of filling its box. */
  readonly fixedSize?: boolean;
}

const MARK =
  /<(\w+)([^>]*?) ecmeta_series_index="(\d+)" ecmeta_data_index="(\d+)" ecmeta_ssr_type="chart"([^>]*)><\/\1>/g;

/**
 * A plot as an `<svg>` element for inside a page, made without a browser. ECharts numbers its charts through the life of a process and
 * adds styles for hovering: both are taken out, so that the same plot is always the same text and needs nothing outside itself.
 */
export function renderSvg(plot: SvgPlot): string {
  const { width, height } = plot;
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  let drawn: string;
  try {
    chart.setOption({ animation: false, ...plot.option });
    drawn = chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
  const inside = drawn
    .slice(drawn.indexOf('>') + 1, drawn.lastIndexOf('</svg>'))
    .replace(/<style >[\s\S]*?<\/style>/g, '')
    .replace(/ class="zr\d+-cls-\d+"/g, '')
    .replace(/ xml:space="preserve"/g, '')
    .replace(/ (clip-path="url\(#|id=")zr\d+-/g, ` $1${plot.id}-`)
    .replace(MARK, (_, tag: string, before: string, series: string, index: string, after: string) => {
      const title = plot.titleOf(Number(series), Number(index));
      return `<${tag}${before}${after}>${title === null ? '' : `<title>${escapeHtml(title)}</title>`}</${tag}>`;
    })
    .replace(/ ecmeta_\w+="\w*"/g, '')
    .replace(/\n+/g, '\n');
  const size = plot.fixedSize ? ` width="${width}" height="${height}"` : '';
  const label = escapeHtml(plot.description);
  return `<svg viewBox="0 0 ${width} ${height}"${size} role="img" aria-label="${label}">${inside}</svg>`;
}
