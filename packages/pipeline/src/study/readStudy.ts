import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Study } from './studyResult.ts';

export const STUDY_FILE = 'study.json';

/** The study that stands in a folder, as `study` wrote it; its key tells whether it is the one that is asked for. Throws where there is none. */
export async function readStudy(folder: string): Promise<Study> {
  return JSON.parse(await readFile(join(folder, STUDY_FILE), 'utf8')) as Study;
}
