import { stat } from 'node:fs/promises';
import { CompressionError } from '@quern/core';

/** Several tasks never share a file: it would be read as the items of each. Errors: USAGE, also for no task. */
export async function checkTaskData(tasks: readonly string[], data: string): Promise<void> {
  if (tasks.length === 0 || tasks.includes('')) throw new CompressionError('USAGE', '--tasks names no task.');
  if (new Set(tasks).size === 1 || !(await stat(data).catch(() => null))?.isFile()) return;
  throw new CompressionError(
    'USAGE',
    `--task-data ${data} is one file for ${tasks.length} tasks: name the folder that holds a file for each.`,
    { data, tasks },
  );
}
