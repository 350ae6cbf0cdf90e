import { renderSvg } from '../packages/pipeline/src/report/renderSvg.ts';

/** One written file. */
export interface RatePoint {
  readonly method: string;
  /** Stored bits per weight. */
  readonly bits: number;
  /** KL divergence from the original, nats per token: unlike the loss never below nothing by chance. */
  readonly divergence: number;
}

/** The line of a row: its method, and what its options make of it. */
export function lineOf(row: string): string {
  const [method = '', ...options] = row.split('/');
  const others = options.map(option => option.replace(/=true$/, '').replace('shrinkSearch', 'searched'));
  return [method.split(':')[0], ...others].join(', ');
}

const COLORS = ['#6e7781', '#8250df', '#1f5fa8', '#7cb3e8', '#bf3989', '#1a7f37', '#b35900'];

/** Divergence against stored bits, one line a method, both figures of files. */
export function drawRates(points: readonly RatePoint[], title: string): string {
  const methods = [...new Set(points.map(({ method }) => method))];
  const least = 0.0003;
  const lines = methods.map(method =>
    points.filter(point => point.method === method).toSorted((left, right) => left.bits - right.bits),
  );
  const svg = renderSvg({
    id: 'rates',
    width: 720,
    height: 400,
    description: `${title}: KL divergence from the original, nats per token, against stored bits per weight`,
    fixedSize: true,
    titleOf: (series, index) => {
      const point = lines[series]?.[index];
      return point ? `${point.method}: ${point.bits} bits, ${point.divergence} nats` : null;
    },
    option: {
      backgroundColor: '#ffffff',
      title: { text: title, left: 12, top: 8, textStyle: { fontSize: 14 } },
      legend: { left: 66, top: 30 },
      grid: { left: 70, right: 24, top: 64, bottom: 52 },
      xAxis: { type: 'value', min: 1, name: 'stored bits per weight', nameLocation: 'middle', nameGap: 30 },
      yAxis: {
        type: 'log',
        min: least,
        name: 'KL from the original, nats per token',
        nameLocation: 'middle',
        nameGap: 50,
      },
      series: methods.map((name, index) => ({
        type: 'line',
        name,
        symbol: ['circle', 'rect', 'triangle', 'diamond'][index % 4],
        symbolSize: 8,
        color: COLORS[index % COLORS.length],
        data: lines[index]!.map(({ bits, divergence }) => [bits, Math.max(least, divergence)]),
      })),
    },
  });
  return svg.replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" ');
}
