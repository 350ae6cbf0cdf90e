import { renderSvg } from '../packages/pipeline/src/report/renderSvg.ts';

/** One written file. */
export interface RatePoint {
  readonly method: string;
  /** Stored bits per weight. */
  readonly bits: number;
  /** Nats per token above the original. */
  readonly loss: number;
}

const COLORS = ['#6e7781', '#8250df', '#1f5fa8', '#7cb3e8', '#bf3989', '#1a7f37', '#b35900'];

/** Loss against stored bits, one line a method, both figures of files; a loss of nothing stands on the lower edge. */
export function drawRates(points: readonly RatePoint[], title: string): string {
  const methods = [...new Set(points.map(({ method }) => method))];
  const least = 0.0005;
  const lines = methods.map(method =>
    points.filter(point => point.method === method).toSorted((left, right) => left.bits - right.bits),
  );
  const svg = renderSvg({
    id: 'rates',
    width: 720,
    height: 400,
    description: `${title}: nats per token above the original against stored bits per weight`,
    fixedSize: true,
    titleOf: (series, index) => {
      const point = lines[series]?.[index];
      return point ? `${point.method}: ${point.bits} bits, ${point.loss} nats` : null;
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
        name: 'nats per token above the original',
        nameLocation: 'middle',
        nameGap: 50,
      },
      series: methods.map((name, index) => ({
        type: 'line',
        name,
        symbol: ['circle', 'rect', 'triangle', 'diamond'][index % 4],
        symbolSize: 8,
        color: COLORS[index % COLORS.length],
        data: lines[index]!.map(({ bits, loss }) => [bits, Math.max(least, loss)]),
      })),
    },
  });
  return svg.replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" ');
}
