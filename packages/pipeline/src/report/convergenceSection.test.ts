import { expect, it } from 'vitest';
import type { ComparisonRow } from './comparison.ts';
import { convergenceCurve } from './convergenceCurves.ts';
import { convergenceSection } from './convergenceSection.ts';
import { sampleComparison } from './testSupport/sampleComparison.ts';
import { sampleConvergence } from './testSupport/sampleConvergence.ts';

const model = sampleComparison().rows.find(row => row.failure === null)!;

function rowOf(method: string, ratio: number | null, sweeps: number | null): ComparisonRow {
  const sites = model.sites.slice(0, 2).map((site, index) => ({
    ...site,
    convergence: sweeps === null ? undefined : sampleConvergence(0.01 * (index + 1), sweeps),
  }));
  return { ...model, method, ratio, sites };
}

it('means go over sites; one that is done keeps its last value', () => {
  const curve = convergenceCurve('compot', [
    { convergence: { objectives: [0.4, 0.2, 0.1, 0.12], stoppedBy: 'sweeps' } },
    { convergence: { objectives: [0.2, 0.1, 0.3], stoppedBy: 'tolerance' } },
  ]);
  expect(curve.means).toHaveLength(3);
  for (const [sweep, mean] of [0.3, 0.15, 0.1].entries()) expect(curve.means[sweep]).toBeCloseTo(mean, 12);
  expect(curve.stored).toBeCloseTo(0.21, 12);
  expect([curve.siteCount, curve.settledCount]).toEqual([2, 1]);
});

it('draws a plot for each ratio with a line for each method that goes by sweeps, for a wide page and for a phone', () => {
  const rows = [
    rowOf('cospadi', 0.2, 60),
    rowOf('dictionary', 0.2, 12),
    rowOf('dictionary:4', 0.2, 9),
    rowOf('svd-llm', 0.2, null),
    rowOf('cospadi', 0.4, 60),
    { ...rowOf('compot', 0.4, 20), failure: 'no memory' },
  ];
  const html = convergenceSection(rows, ['svd-llm', 'dictionary', 'cospadi']);
  expect(Array.from(html.matchAll(/<h3>([^<]*)</g), match => match[1])).toEqual([
    '20 % removed',
    '40 % removed',
    '20 % removed',
    '40 % removed',
  ]);
  expect(html.match(/<svg /g)).toHaveLength(4);
  // In the order and the colours of the other plots.
  expect(html).toMatch(
    /aria-label="Convergence: dictionary: [^"]*; dictionary:4: [^"]*; cospadi: 0.0480 to 0.0152 in 61 measurements, 0.0150 as stored \(mean of 2 sites\)\."/,
  );
  expect(html).toContain(
    'dictionary: 0.0480 to 0.0162 in 13 measurements, 0.0150 as stored (mean of 2 sites, 2 settled before)',
  );
  expect(html).toContain('var(--series-3)');
  const [first, second] = rowOf('rocket', 0.2, 1).sites;
  const half = { ...rowOf('rocket', 0.2, 1), sites: [first!, { ...second!, convergence: undefined }] };
  expect(convergenceSection([half], [])).toContain('stay as they are: rocket −20 % 1 of 2.');
  expect(html).not.toMatch(/compot|svd-llm|NaN|undefined/);
});

it('is empty where no row goes by sweeps, and stands curves of one point and of nothing left', () => {
  expect(convergenceSection([rowOf('svd-llm', 0.2, null)], [])).toBe('');
  const zeros = { objectives: [0, 0], stoppedBy: 'tolerance' } as const;
  const row = rowOf('compot', null, 3);
  const html = convergenceSection([{ ...row, sites: [{ ...row.sites[0]!, convergence: zeros }] }], []);
  expect(html).toContain('0 to 0 in 1 measurements, 0 as stored (1 site, 1 settled before)');
  expect(html).not.toMatch(/NaN|undefined|Infinity/);
});
