/** A series in a legend, by its name; styles where they are not the series'. */
export interface LegendEntry {
  readonly name: string;
  readonly lineStyle?: object;
  readonly itemStyle?: object;
}

export interface LegendPlace {
  readonly top: number;
  /** Of the whole plot. */
  readonly width: number;
  readonly fontSize: number;
}

/** Entries side by side, in as many lines as their texts need: legends of ECharts, and the height they take. */
export function plotLegend(
  entries: readonly LegendEntry[],
  { top, width, fontSize }: LegendPlace,
): { readonly option: readonly object[]; readonly height: number } {
  const itemWidth = 26;
  const itemGap = width > 600 ? 22 : 14;
  // One legend a line: where lines end is decided here, so that the height is known.
  const lines: LegendEntry[][] = [[]];
  let used = 0;
  for (const entry of entries) {
    const needed = itemWidth + itemGap + 5 + 0.58 * fontSize * entry.name.length;
    if (used > 0 && used + needed > width) {
      lines.push([]);
      used = 0;
    }
    lines.at(-1)!.push(entry);
    used += needed;
  }
  const lineHeight = fontSize + 14;
  const option = lines.map((line, index) => ({
    top: top + index * lineHeight,
    left: 'center',
    itemWidth,
    itemHeight: 10,
    itemGap,
    selectedMode: false,
    textStyle: { color: 'var(--ink)', fontSize },
    data: line,
  }));
  return { option, height: 8 + lines.length * lineHeight };
}
