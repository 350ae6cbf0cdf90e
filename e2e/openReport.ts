import type { Browser, Page } from 'playwright-core';

export interface OpenedReport {
  readonly page: Page;
  /** Errors and warnings of the console, exceptions, and every request for anything but the page itself. */
  readonly complaints: readonly string[];
}

export interface ReportView {
  readonly width: number;
  readonly scheme: 'light' | 'dark';
}

/** Shows a report's file as a person with this window and colour scheme sees it. */
export async function openReport(browser: Browser, url: string, view: ReportView): Promise<OpenedReport> {
  const page = await browser.newPage({ viewport: { width: view.width, height: 900 }, colorScheme: view.scheme });
  const complaints: string[] = [];
  page.on('console', message => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', error => complaints.push(String(error)));
  page.on('request', request => {
    if (request.url() !== url) complaints.push(`request for ${request.url()}`);
  });
  await page.goto(url);
  return { page, complaints };
}
