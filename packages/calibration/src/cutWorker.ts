import { parentPort, workerData } from 'node:worker_threads';
import { type ErrorRecord, toErrorRecord } from '@quern/core';
import { type CutPart, cutParts } from './cutParts.ts';
import { loadTokenizer } from './loadTokenizer.ts';
import type { WindowOptions } from './windowOptions.ts';

/** What a thread is to cut. */
export interface CutTask {
  readonly documents: readonly string[];
  readonly tokenizerFolder: string;
  readonly options: WindowOptions;
}

/** What it tells: parts in order, and how it ended. */
export type CutMessage = { readonly part: CutPart } | { readonly end: true } | { readonly error: ErrorRecord };

const { documents, tokenizerFolder, options } = workerData as CutTask;
const tell = (message: CutMessage): void => parentPort!.postMessage(message);
try {
  for (const part of cutParts(documents, await loadTokenizer(tokenizerFolder), options)) tell({ part });
  tell({ end: true });
} catch (error) {
  tell({ error: toErrorRecord(error) });
}
