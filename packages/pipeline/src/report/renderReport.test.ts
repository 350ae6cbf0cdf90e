import { describe, expect, it } from 'vitest';
import type { Comparison, ComparisonRow } from './comparison.ts';
import { renderReport } from './renderReport.ts';
import { sampleComparison } from './testSupport/sampleComparison.ts';

const sample = sampleComparison();
const page = renderReport(sample);

/** The sample with these figures in place of its rows'. */
function withRows(rows: readonly Partial<ComparisonRow>[], comparison: Comparison = sample): Comparison {
  const model = comparison.rows.find(row => row.failure === null)!;
  return { ...comparison, rows: rows.map(row => ({ ...model, ratio: null, ...row })) };
}

const tableOf = (html: string): string => /<table class="results">([\s\S]*?)<\/table>/.exec(html)![1]!;
const methodsOf = (html: string): string[] =>
  Array.from(tableOf(html).matchAll(/<th scope="row">([^<]*?) ?</g), match => match[1]!);

describe('renderReport', () => {
  it('has a line for each row, by size, the failed one last with its reason', () => {
    const made = sample.rows.filter(row => row.failure === null).map(row => row.method);
    expect(methodsOf(page)).toEqual([...made, 'cospadi']);
    expect(page).toContain('failed: INDEFINITE_HESSIAN: pivot 12');
    // 42 sites of 331776 weights at 4.5 bits.
    expect(tableOf(page)).toContain('<td class="number">7,838,208</td><td class="number">4.500</td>');
  });

  it('marks the Pareto front, and says which row is best', () => {
    const html = renderReport(
      withRows([
        { method: 'a:2', storedBytes: 1000, bitsPerWeight: 2, perplexity: 20 },
        { method: 'b:2', storedBytes: 1100, bitsPerWeight: 2.2, perplexity: 21 },
        { method: 'b:3', storedBytes: 1500, bitsPerWeight: 3, perplexity: 11.5 },
        { method: 'a:4', storedBytes: 2000, bitsPerWeight: 4, perplexity: 11.5 },
      ]),
    );
    const marked = Array.from(tableOf(html).matchAll(/<th scope="row">(\S+) <span class="mark"/g), match => match[1]);
    expect(marked).toEqual(['a:2', 'b:3']);
    expect(html).toContain('4 rows of 2 methods');
    expect(html).toContain('2 rows stand on the Pareto front');
    expect(html).toContain('of 11.37 is <strong>b:3</strong> (1.50 kB');
    expect(html).toContain('<th scope="row">1.5 to 2.5</th><td>a:2</td>');
    expect(html).toContain('a:2: perplexity 20.00 ±');
  });

  it('names the better one of two rows of one size', () => {
    const html = renderReport(
      withRows([
        { method: 'a:4', storedBytes: 1000, bitsPerWeight: 4, perplexity: 11.9 },
        { method: 'b:4', storedBytes: 1000, bitsPerWeight: 4, perplexity: 11.6 },
      ]),
    );
    expect(html).toContain('of 11.37 is <strong>b:4</strong>');
    expect(html).toContain('<th scope="row">3.5 to 4.5</th><td>b:4</td>');
  });

  it('is the same text each time, whatever was drawn before', () => {
    renderReport(sampleComparison({ blockCount: 2 }));
    expect(renderReport(sampleComparison()) === page).toBe(true);
  });

  it('takes nothing from outside and runs nothing', () => {
    expect(page).not.toMatch(/https?:/i);
    expect(page).not.toMatch(/\s(?:src|href|on\w+)=/i);
    expect(page).not.toMatch(/url\((?!#)|@import|<script/i);
  });

  it('has no id twice', () => {
    const ids = Array.from(page.matchAll(/ id="([^"]+)"/g), match => match[1]);
    expect(ids).toHaveLength(new Set(ids).size);
    for (const [, target] of page.matchAll(/url\(#([^)]+)\)/g)) expect(ids).toContain(target);
  });

  it('shows strings of others as text, wherever they come from', () => {
    const evil = '"><script>alert(1)</script>\'&';
    const first = sample.rows.find(row => row.failure === null)!;
    const html = renderReport({
      ...withRows([
        {
          method: `${evil}:3`,
          options: { [evil]: evil, nested: { [evil]: [evil] } },
          sites: first.sites.map((site, index) => ({ ...site, name: `${evil}${index}`, solver: evil })),
        },
        { method: evil, perplexity: 1e9 },
        { failure: evil },
      ]),
      version: evil,
      model: { path: `a/${evil}`, sha256: [evil], elementCount: 100 },
      evaluation: { ...sample.evaluation!, data: evil },
      calibration: { ...sample.calibration!, data: evil, sha256: evil },
      settings: { [evil]: evil },
    });
    expect(html.includes('<script')).toBe(false);
    expect(html.includes('alert(1)</')).toBe(false);
    expect(html.includes('"&quot;&gt;')).toBe(true);
    expect(html.match(/&lt;script&gt;/g)!.length).toBeGreaterThan(20);
  });

  it('draws the output error where nothing was scored', () => {
    const html = renderReport(sampleComparison({ isScored: false }));
    expect(html).toContain('Relative output error against size');
    expect(html).toContain('No text was evaluated');
    expect(html).not.toContain('Perplexity against size');
  });

  it('names rows beyond the axis and rows that cannot be drawn', () => {
    const sizes = [1000, 1100, 1200, 1300, 1400, 1500];
    const perplexities = [1e9, 13, 12.5, 12, 11.9, Number.POSITIVE_INFINITY];
    const html = renderReport(
      withRows(
        sizes.map((storedBytes, index) => ({ method: `m${index}`, storedBytes, perplexity: perplexities[index]! })),
      ),
    );
    expect(html).toContain('Arrows: beyond the axis (m0 1.00 × 10⁹)');
    expect(html).toContain('Not drawn, without a finite perplexity: m5.');
    expect(html).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('stands without rows, without sites, with a single row, and with failures only', () => {
    const none = renderReport(withRows([]));
    expect(none).toContain('No row has a figure to draw.');
    expect(none).toContain('No row holds errors by site.');
    const single = renderReport(withRows([{ method: 'only', sites: [] }]));
    expect(single).toContain('1 row of 1 method');
    const failed = renderReport(withRows([{ failure: 'no memory', perplexity: null, sites: [] }]));
    expect(failed).toContain('failed: no memory');
    for (const html of [none, single, failed]) expect(html).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('gives every site of every row its figure in the heat map', () => {
    const row = sample.rows.find(({ method }) => method === 'gptq:3')!;
    const site = row.sites[9]!;
    expect(site.name).toBe('/model/layers.1/attn/v_proj/MatMul');
    const figure = site.relativeOutputError!.toPrecision(3);
    expect(page).toContain(
      `<title>gptq:3 · ${site.name}: relative output error ${figure}, 3.50 bits per weight (gptq)</title>`,
    );
    expect(page.match(/<title>[^<]* · \/model\/layers/g)).toHaveLength(30 * 42);
  });
});
