import { rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asWriteFailure } from './asWriteFailure.ts';
import { MANIFEST_FILE, type ResultManifest, readManifest } from './readManifest.ts';
import { toJsonText } from './toJsonText.ts';

const REPORT_FILE = 'report.html';

/** What a folder holds, and the path of the page that shows it. */
export interface DrawnResult {
  readonly manifest: ResultManifest;
  readonly report: string;
}

/**
 * Draws the report of a folder that `compress` has written, from its manifest, which then lists the page too; null where the folder
 * has no manifest. Errors: those of `readManifest`; WRITE_FAILED.
 */
export async function redrawResult(folder: string): Promise<DrawnResult | null> {
  const status = await stat(join(folder, MANIFEST_FILE)).catch(() => null);
  if (!status?.isFile()) return null;
  const found = await readManifest(folder);
  const { renderResultReport } = await import('../report/renderResultReport.ts');
  const page = renderResultReport(folder, found);
  const others = found.files.filter(({ path }) => path !== REPORT_FILE);
  const files = [...others, { path: REPORT_FILE, bytes: Buffer.byteLength(page) }];
  const manifest = { ...found, files: files.toSorted((a, b) => (a.path < b.path ? -1 : 1)) };
  const write = async (name: string, text: string): Promise<void> => {
    await writeFile(join(folder, `${name}.partial`), text);
    await rename(join(folder, `${name}.partial`), join(folder, name));
  };
  try {
    await write(REPORT_FILE, page);
    await write(MANIFEST_FILE, toJsonText(manifest));
  } catch (error) {
    throw asWriteFailure(error, folder);
  }
  return { manifest, report: join(folder, REPORT_FILE) };
}
