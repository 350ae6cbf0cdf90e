import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderEvaluationReport } from '../packages/pipeline/src/report/evaluation/renderEvaluationReport.ts';
import { sampleEvaluation } from '../packages/pipeline/src/report/evaluation/testSupport/sampleEvaluation.ts';
import { renderReport } from '../packages/pipeline/src/report/renderReport.ts';
import { sampleComparison } from '../packages/pipeline/src/report/testSupport/sampleComparison.ts';
import { findChromium } from './findChromium.ts';
import { openReport } from './openReport.ts';

const options = await findChromium();
/** QUERN_KEEP_SCREENSHOTS=1 leaves pages and pictures of their whole length in the temporary folder, to be looked at. */
const isKept = process.env.QUERN_KEEP_SCREENSHOTS === '1';

/** Runs inside the page: what a person sees of the plots. Texts are measured where the page shows them. */
const MEASURE = `(() => {
  const plots = [...document.querySelectorAll('svg')].filter(svg => svg.getBoundingClientRect().width > 0);
  const texts = plots.flatMap(svg => {
    const frame = svg.getBoundingClientRect();
    return [...svg.querySelectorAll('text')].map(text => {
      const box = text.getBoundingClientRect();
      const isInside = box.left >= frame.left - 1 && box.right <= frame.right + 1 &&
        box.top >= frame.top - 1 && box.bottom <= frame.bottom + 1;
      const scale = frame.width / svg.viewBox.baseVal.width;
      return { text: text.textContent, isInside, size: parseFloat(getComputedStyle(text).fontSize) * scale };
    });
  });
  const fills = selector => [...new Set([...document.querySelectorAll(selector)].map(mark => getComputedStyle(mark).fill))];
  return {
    plotCount: plots.length,
    documentPlots: document.querySelectorAll('.multiples svg').length,
    paretoMarks: document.querySelectorAll('#pareto svg title').length,
    heatMarks: document.querySelectorAll('#sites svg title').length,
    rowCount: document.querySelectorAll('#rows .results tbody tr').length,
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    outside: texts.filter(text => !text.isInside).map(text => text.text),
    smallest: Math.min(...texts.map(text => text.size)),
    heatFills: fills('#sites svg path:has(title)'),
    background: getComputedStyle(document.body).backgroundColor,
  };
})()`;

interface Measured {
  readonly plotCount: number;
  readonly documentPlots: number;
  readonly paretoMarks: number;
  readonly heatMarks: number;
  readonly rowCount: number;
  readonly overflow: number;
  readonly outside: readonly string[];
  readonly smallest: number;
  readonly heatFills: readonly string[];
  readonly background: string;
}

describe.skipIf(options === null)('the report in Chromium (skipped where none is found; CHROME_PATH names one)', () => {
  let folder = '';
  let browser: Browser;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'quern-report-'));
    // Pages are some ten thousand pixels high: a software GPU of a busy machine cannot always hold them whole.
    browser = await chromium.launch({ ...options, args: [...(options!.args ?? []), '--disable-gpu'] });
  });
  afterAll(async () => {
    await browser?.close();
    if (!isKept) await rm(folder, { recursive: true, force: true });
  });

  const views = [1280, 400].flatMap(width => (['light', 'dark'] as const).map(scheme => ({ width, scheme })));
  const samples = [
    { name: '42-sites', options: {}, sites: 42, rows: 31 },
    { name: '301-sites', options: { blockCount: 43 }, sites: 301, rows: 31 },
    { name: 'without-text', options: { isScored: false, blockCount: 1 }, sites: 7, rows: 31 },
  ];
  it.each(samples.flatMap(sample => views.map(view => ({ ...sample, ...view }))))(
    '$name at $width pixels, $scheme',
    async ({ name, options, sites, rows, width, scheme }) => {
      const file = join(folder, `${name}.html`);
      await writeFile(file, renderReport(sampleComparison(options)));
      const { page, complaints } = await openReport(browser, pathToFileURL(file).href, { width, scheme });
      const seen = await page.evaluate<Measured>(MEASURE);
      expect(complaints).toEqual([]);
      // One of the two Pareto plots, the heat map, a plot of convergence for each ratio, and the documents of each row of the front.
      expect(seen.plotCount).toBe(2 + 4 + seen.documentPlots);
      expect(seen.documentPlots > 2).toBe(name !== 'without-text');
      expect(seen.paretoMarks).toBeGreaterThanOrEqual(2 * 24);
      expect([seen.heatMarks, seen.rowCount, seen.overflow]).toEqual([30 * sites, rows, 0]);
      expect(seen.outside).toEqual([]);
      expect(seen.smallest).toBeGreaterThan(10);
      // Colours are variables of the page: black is what a browser paints where it does not know them.
      expect(seen.heatFills.length).toBeGreaterThan(4);
      expect(seen.heatFills).not.toContain('rgb(0, 0, 0)');
      expect(seen.background).toBe(scheme === 'light' ? 'rgb(246, 247, 249)' : 'rgb(16, 21, 28)');
      const picture = await page.screenshot({ path: join(folder, `${name}-${width}-${scheme}.png`), fullPage: isKept });
      expect(picture.length).toBeGreaterThan(20_000);
      await page.close();
    },
  );

  it.each(views)('of an evaluation at $width pixels, $scheme', async ({ width, scheme }) => {
    const file = join(folder, 'evaluation.html');
    await writeFile(file, renderEvaluationReport(sampleEvaluation()));
    const { page, complaints } = await openReport(browser, pathToFileURL(file).href, { width, scheme });
    const seen = await page.evaluate<Measured>(MEASURE);
    expect(complaints).toEqual([]);
    expect([seen.plotCount, seen.overflow, seen.outside]).toEqual([1, 0, []]);
    expect(seen.smallest).toBeGreaterThan(10);
    const { dots, colours } = await page.evaluate<{ dots: number; colours: readonly string[] }>(`({
      dots: [...document.querySelectorAll('.track .dot')].filter(dot => {
        const [box, frame] = [dot, dot.parentElement].map(element => element.getBoundingClientRect());
        return box.width > 8 && box.left >= frame.left && box.right <= frame.right && box.bottom <= frame.bottom;
      }).length,
      colours: [0, 1, 2].map(level => getComputedStyle(document.querySelector('mark.level-' + level)).backgroundColor),
    })`);
    expect(dots).toBe(2 * 5);
    // Three different colours, none of them the browser's own yellow.
    expect(new Set(colours).size).toBe(3);
    expect(colours).not.toContain('rgb(255, 255, 0)');
    const picture = await page.screenshot({
      path: join(folder, `evaluation-${width}-${scheme}.png`),
      fullPage: isKept,
    });
    expect(picture.length).toBeGreaterThan(20_000);
    await page.close();
  });

  it('is read from the keyboard: tables and the heat map take the focus', async () => {
    const file = join(folder, 'keyboard.html');
    await writeFile(file, renderReport(sampleComparison()));
    const { page } = await openReport(browser, pathToFileURL(file).href, { width: 400, scheme: 'light' });
    const names: string[] = [];
    for (let index = 0; index < 3; index++) {
      await page.keyboard.press('Tab');
      names.push((await page.evaluate<string | null>(`document.activeElement.getAttribute('aria-label')`)) ?? '');
    }
    expect(names).toEqual(['Best row by size', 'All rows', 'What each row broke']);
    await page.close();
  });
});
