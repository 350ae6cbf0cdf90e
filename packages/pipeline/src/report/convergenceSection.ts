import type { ComparisonRow } from './comparison.ts';
import { convergenceCurve, sweptSites } from './convergenceCurves.ts';
import { type ConvergenceFormat, convergencePlot, type StyledCurve } from './convergencePlot.ts';
import { escapeHtml } from './escapeHtml.ts';
import { methodFamily } from './methodFamily.ts';
import { rowLabel } from './rowLabel.ts';

const NARROW: ConvergenceFormat = { width: 370, plotHeight: 260, fontSize: 12 };

/** What a curve shows, for under a figure. */
export const CURVE_NOTE =
  'Squared relative output error that is left after each sweep, as a share of the output; its mean over the sites. A curve begins where its method first ' +
  'measures: at its start, or after its first sweep. Rings: what is left of the factors as they are stored.';

/** A plot for each ratio with a line for each method that goes by sweeps; empty where no row has figures. */
export function convergenceSection(rows: readonly ComparisonRow[], families: readonly string[]): string {
  const swept = rows
    .map(row => ({ row, sites: sweptSites(row.sites) }))
    .filter(({ row, sites }) => row.failure === null && sites.length > 0);
  const ratios = [...new Set(swept.map(({ row }) => row.ratio))].toSorted((a, b) => (a ?? 0) - (b ?? 0));
  const panels = ratios.map(ratio => {
    const members = swept
      .filter(({ row }) => row.ratio === ratio)
      .toSorted((a, b) => orderOf(families, a.row) - orderOf(families, b.row));
    const styles = stylesOf(
      members.map(({ row }) => row.method),
      families,
    );
    const curves = members.map(({ row, sites }, index) => ({
      ...convergenceCurve(row.method, sites),
      style: styles[index]!,
    }));
    return { title: ratio === null ? '' : `${Number((100 * ratio).toFixed(1))} % removed`, curves };
  });
  const partial = swept
    .filter(({ row, sites }) => sites.length < row.sites.length)
    .map(({ row, sites }) => `${escapeHtml(rowLabel(row))} ${sites.length} of ${row.sites.length}`);
  const note =
    partial.length === 0 ? '' : ` Means over fewer sites, the others stay as they are: ${partial.join(', ')}.`;
  return panels.length === 0 ? '' : convergenceFigure(panels, CURVE_NOTE + note);
}

export interface ConvergencePanel {
  readonly title: string;
  readonly curves: readonly StyledCurve[];
}

/** Plots side by side, drawn twice: for a wide page and for a phone. */
export function convergenceFigure(panels: readonly ConvergencePanel[], note: string): string {
  const columns = Math.min(3, panels.length === 4 ? 2 : panels.length);
  const wide = [
    { width: 1140, plotHeight: 380, fontSize: 14 },
    { width: 565, plotHeight: 320, fontSize: 13 },
    { width: 374, plotHeight: 260, fontSize: 12 },
  ][columns - 1]!;
  const drawn = (name: string, format: ConvergenceFormat): string =>
    panels
      .map(({ title, curves }, index) => {
        const heading = title === '' ? '' : `<h3>${escapeHtml(title)}</h3>\n`;
        return `<div>${heading}${convergencePlot(`convergence-${name}-${index}`, curves, format)}</div>`;
      })
      .join('\n');
  return `<figure>
<div class="wide panels columns-${columns}">${drawn('wide', wide)}</div>
<div class="narrow panels">${drawn('narrow', NARROW)}</div>
<figcaption>${note}</figcaption>
</figure>`;
}

function orderOf(families: readonly string[], { method }: ComparisonRow): number {
  const index = families.indexOf(methodFamily(method));
  return index < 0 ? families.length : index;
}

/** The style that a method's family has in the other plots; further methods of a family get ones that are free. */
function stylesOf(methods: readonly string[], families: readonly string[]): number[] {
  const taken = new Set<number>();
  let free = families.length;
  return methods.map(method => {
    const own = families.indexOf(methodFamily(method));
    const style = own < 0 || taken.has(own) ? free++ : own;
    taken.add(style);
    return style;
  });
}
