import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { EvaluationReport } from '../report/evaluation/evaluationReport.ts';
import { EVALUATION_FILE, writeEvaluation } from './evaluationFolder.ts';
import { readEvaluation } from './readEvaluation.ts';

/** An evaluation and the path of its page. */
export interface RedrawnEvaluation {
  readonly evaluation: EvaluationReport;
  readonly report: string;
}

/** Draws the report of an evaluation again; null where the folder holds none. Errors: those of `readEvaluation`; WRITE_FAILED. */
export async function redrawEvaluation(folder: string): Promise<RedrawnEvaluation | null> {
  const status = await stat(join(folder, EVALUATION_FILE)).catch(() => null);
  if (!status?.isFile()) return null;
  const evaluation = await readEvaluation(folder);
  return { evaluation, report: await writeEvaluation(folder, evaluation) };
}
