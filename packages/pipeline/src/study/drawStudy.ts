import { renderSvg } from '../report/renderSvg.ts';
import type { Study } from './studyResult.ts';

const COLORS = ['#1f5fa8', '#b35900', '#1a7f37', '#8a3ffc', '#a2191f', '#007d79', '#6f4e00', '#d02670'];
const UNCALIBRATED = '#444444';
const DASHES = ['solid', 'dashed', 'dotted'];
const SYMBOLS = ['circle', 'rect', 'triangle', 'diamond'];

const PANEL = 380;
const HEIGHT = 400;
const LEFT = 64;
/** The lower edge, nats: less is no loss. */
const LEAST = 0.0005;

/** Loss against stored bits, a panel for each text: colours are calibrations, lines and symbols methods; a file that needs nothing else. */
export function drawStudy({ model, grid, texts, cells, tests }: Study): string {
  const lines = grid.methods.flatMap((method, style) =>
    [...new Set(cells.filter(cell => cell.method === method).map(({ calibration }) => calibration))].map(
      calibration => ({
        name: calibration === null ? method : `${method} on ${calibration}`,
        color: calibration === null ? UNCALIBRATED : COLORS[grid.calibration.indexOf(calibration) % COLORS.length]!,
        style,
        members: cells.flatMap((cell, index) =>
          cell.method === method && cell.calibration === calibration && cell.scores ? [{ cell, index }] : [],
        ),
      }),
    ),
  );
  const panels = texts.map(({ data }, measure) => ({ data, measure, left: LEFT + measure * PANEL }));
  const lossOf = (index: number, measure: number): number =>
    tests.texts.find(test => test.cell === index && test.measure === measure)!.difference;
  const series = panels.flatMap(({ measure }) =>
    lines.map(line => ({
      ...line,
      measure,
      points: line.members
        .map(({ cell, index }) => ({ bits: cell.bitsPerWeight, loss: lossOf(index, measure) }))
        .toSorted((left, right) => left.bits - right.bits),
    })),
  );
  const drawn = series.flatMap(({ points }) => points);
  const most = drawn.reduce((highest, { loss }) => Math.max(highest, loss), 2 * LEAST);
  const fewestBits = drawn.reduce((fewest, { bits }) => Math.min(fewest, bits), 8);
  const svg = renderSvg({
    id: 'study',
    width: LEFT + texts.length * PANEL,
    height: HEIGHT + 24 * Math.floor(lines.length / (2 * texts.length + 1)),
    description: `${model.path}: nats a token more than the original against stored bits, on ${texts.map(({ data }) => data).join(', ')}`,
    fixedSize: true,
    titleOf: (at, index) => {
      const point = series[at]?.points[index];
      return point ? `${series[at]!.name}: ${point.bits.toFixed(2)} bits, ${point.loss.toFixed(4)} nats` : null;
    },
    option: {
      backgroundColor: '#ffffff',
      title: panels.map(({ data, left }) => ({ text: data, left, top: 8, textStyle: { fontSize: 14 } })),
      legend: {
        top: HEIGHT - 28,
        left: 'center',
        itemGap: 22,
        width: texts.length * PANEL - 20,
        data: lines.map(({ name }) => name),
      },
      grid: panels.map(({ left }) => ({ left, width: PANEL - 76, top: 40, height: HEIGHT - 110 })),
      xAxis: panels.map((_, gridIndex) => ({
        gridIndex,
        type: 'value',
        min: Math.floor(fewestBits),
        name: 'stored bits per weight',
        nameLocation: 'middle',
        nameGap: 28,
        axisLabel: { formatter: (value: number) => String(Number(value.toFixed(1))) },
      })),
      yAxis: panels.map((_, gridIndex) => ({
        gridIndex,
        type: 'log',
        min: LEAST,
        max: Number(most.toPrecision(1)) * 1.5,
        ...(gridIndex === 0
          ? { name: 'nats a token more than the original', nameLocation: 'middle', nameGap: 46 }
          : {}),
      })),
      series: series.map(({ name, color, style, measure, points }) => ({
        type: 'line',
        name,
        color,
        xAxisIndex: measure,
        yAxisIndex: measure,
        symbol: SYMBOLS[style % SYMBOLS.length],
        symbolSize: 7,
        lineStyle: { type: DASHES[style % DASHES.length] },
        data: points.map(({ bits, loss }) => [bits, Math.max(LEAST, loss)]),
      })),
    },
  });
  return svg.replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" ');
}
