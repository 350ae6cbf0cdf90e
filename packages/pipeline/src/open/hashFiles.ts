import { hashFile } from './hashFile.ts';
import type { OpenedModel } from './openModel.ts';

/** sha256 of every file that a model was opened from, in their order. Errors: INTERRUPTED. */
export function hashFiles({ files }: Pick<OpenedModel, 'files'>, signal?: AbortSignal): Promise<string[]> {
  return Promise.all(files.map(file => hashFile(file, signal)));
}
