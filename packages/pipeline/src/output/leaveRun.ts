import { CompressionError, exitCodeOf, toErrorRecord } from '@quern/core';
import type { RunFolder } from './runFolder.ts';

/** Bad input leaves nothing behind; anything else leaves a run that can be resumed, if something was finished. */
export async function leaveRun(error: unknown, folder: RunFolder, finished: number): Promise<unknown> {
  const { code, message, context } = toErrorRecord(error);
  if (exitCodeOf(code) === 2 || finished === 0) {
    await folder.abandon().catch(() => undefined);
    return error;
  }
  const advice = `${message} ${finished} finished results are kept: run the same command with --resume.`;
  return new CompressionError(code, advice, context, { cause: error });
}
