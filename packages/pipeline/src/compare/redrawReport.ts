import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asWriteFailure } from '../output/asWriteFailure.ts';
import type { CompareResult } from './compare.ts';
import { REPORT_FILE, readComparison } from './readComparison.ts';

/** Draws the report of a finished comparison anew from its results. Errors: those of `readComparison`; WRITE_FAILED. */
export async function redrawReport(folder: string): Promise<CompareResult> {
  const comparison = await readComparison(folder);
  const { renderReport } = await import('../report/renderReport.ts');
  const report = join(folder, REPORT_FILE);
  try {
    await writeFile(`${report}.partial`, renderReport(comparison));
    await rename(`${report}.partial`, report);
  } catch (error) {
    throw asWriteFailure(error, folder);
  }
  return { comparison, report };
}
