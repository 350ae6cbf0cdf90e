import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CompressionError } from '@quern/core';
import { asWriteFailure } from '../output/asWriteFailure.ts';
import type { EvaluationReport } from '../report/evaluation/evaluationReport.ts';

export const EVALUATION_FILE = 'evaluation.json';
const REPORT_FILE = 'report.html';

/** A folder that an evaluation may write into, checked before any work. Errors: OUTPUT_EXISTS, WRITE_FAILED. */
export async function claimEvaluationFolder(path: string, force: boolean): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
    const present = await readdir(path);
    const others = present.filter(name => name !== EVALUATION_FILE && name !== REPORT_FILE);
    if (present.length === 0 || (force && others.length === 0)) return;
    const advice =
      others.length === 0
        ? 'name another folder, or pass --force to replace the report.'
        : 'a report gets a folder of its own: name another one.';
    throw new CompressionError('OUTPUT_EXISTS', `--report ${path} is not empty (${present[0]}): ${advice}`, { path });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      throw new CompressionError('OUTPUT_EXISTS', `--report ${path} is a file: name a folder.`, { path });
    }
    throw asWriteFailure(error, path);
  }
}

/** Writes evaluation.json and report.html; returns the path of the page. Errors: WRITE_FAILED. */
export async function writeEvaluation(path: string, report: EvaluationReport): Promise<string> {
  // Charts take half a second to load.
  const { renderEvaluationReport } = await import('../report/evaluation/renderEvaluationReport.ts');
  const page = join(path, REPORT_FILE);
  try {
    await replaceFile(join(path, EVALUATION_FILE), `${JSON.stringify(report)}\n`);
    await replaceFile(page, renderEvaluationReport(report));
  } catch (error) {
    throw asWriteFailure(error, path);
  }
  return page;
}

async function replaceFile(path: string, content: string): Promise<void> {
  await writeFile(`${path}.partial`, content);
  await rename(`${path}.partial`, path);
}
