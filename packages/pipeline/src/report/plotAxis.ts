/** A tick: its place along the axis and its text. */
export type Tick = readonly [number, string];

export interface AxisOptions {
  readonly name: string;
  /** From the axis to its name, in units of the plot. */
  readonly nameGap: number;
  readonly fontSize: number;
  readonly ticks: readonly Tick[];
}

/** An axis of ECharts in the colours of the page, with ticks that are set by hand so that they are round. */
export function plotAxis({ name, nameGap, fontSize, ticks }: AxisOptions) {
  const texts = new Map(ticks);
  const customValues = ticks.map(([position]) => position);
  return {
    type: 'value',
    name,
    nameGap,
    nameLocation: 'middle',
    nameTextStyle: { color: 'var(--muted)', fontSize },
    axisLine: { show: true, onZero: false, lineStyle: { color: 'var(--rule)' } },
    axisTick: { show: true, customValues, lineStyle: { color: 'var(--rule)' } },
    axisLabel: {
      customValues,
      color: 'var(--muted)',
      fontSize,
      hideOverlap: true,
      formatter: (position: number) => texts.get(position) ?? '',
    },
    splitLine: { show: false },
  };
}
