import { Worker } from 'node:worker_threads';
import { CompressionError, fromErrorRecord } from '@quern/core';
import type { CutPart } from './cutParts.ts';
import type { CutMessage, CutTask } from './cutWorker.ts';

/** Gives the parts that there are and those that come, from the first on, as often as it is called. */
export type CutParts = () => AsyncGenerator<CutPart, void>;

/**
 * Cuts a text like `cutParts` in a thread of its own, so that a model can be run on the first windows while the next are cut: running a
 * model blocks the event loop.
 *
 * A process does not wait for the thread unless somebody waits for a part.
 * Errors, of the parts: those of `cutParts` and `loadTokenizer`; INTERRUPTED when the signal is set; INTERNAL when the thread dies.
 * Cost: about 0.1 s of a processor and a copy of the text, beside the tokenizer.
 */
export function startCutting(task: CutTask, signal?: AbortSignal): CutParts {
  const parts: CutPart[] = [];
  let ended = false;
  let failure: CompressionError | null = null;
  let waiting = 0;
  let news = Promise.withResolvers<void>();
  const worker = new Worker(new URL('./cutWorker.ts', import.meta.url), { workerData: task });
  worker.unref();
  const tell = (): void => {
    news.resolve();
    news = Promise.withResolvers();
  };
  const fail = (error: CompressionError): void => {
    if (ended || failure) return;
    failure = error;
    tell();
  };
  const stop = (): void => {
    fail(new CompressionError('INTERRUPTED', 'Cutting the text into tokens was stopped.'));
    void worker.terminate();
  };
  worker.on('message', (message: CutMessage) => {
    if ('error' in message) return fail(fromErrorRecord(message.error));
    if ('part' in message) parts.push(message.part);
    else ended = true;
    tell();
  });
  worker.on('error', cause => fail(threadDied(cause)));
  worker.on('exit', code => {
    signal?.removeEventListener('abort', stop);
    fail(threadDied(new Error(`it ended with code ${code}`)));
  });
  signal?.addEventListener('abort', stop);
  if (signal?.aborted) stop();
  return async function* () {
    for (let next = 0; ; next++) {
      while (next === parts.length) {
        if (failure) throw failure;
        if (ended) return;
        if (++waiting === 1) worker.ref();
        await news.promise;
        if (--waiting === 0) worker.unref();
      }
      yield parts[next]!;
    }
  };
}

function threadDied(cause: unknown): CompressionError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CompressionError(
    'INTERNAL',
    `The thread that cuts the text into tokens died: ${reason}. If memory was short, raise NODE_OPTIONS=--max-old-space-size or use a shorter text.`,
    { reason },
    { cause },
  );
}
