import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CompressionError } from '@quern/core';
import { parseTaskDefinition, type TaskDefinition } from './taskDefinition.ts';

const FOLDER = join(import.meta.dirname, '../../tasks');

/** The ids of the tasks that come with the evaluator, sorted. */
export async function listTasks(): Promise<string[]> {
  const names = await readdir(FOLDER);
  return names.map(name => name.replace(/\.json$/, '')).sort();
}

/**
 * A task by its id, or from a definition of one's own by the path of its JSON file.
 *
 * Errors: INVALID_OPTION for an unknown name, with the known ones; INVALID_CONFIG for a file that is no definition.
 */
export async function loadTaskDefinition(idOrPath: string): Promise<TaskDefinition> {
  const known = await listTasks();
  const path = known.includes(idOrPath) ? join(FOLDER, `${idOrPath}.json`) : idOrPath;
  const text = path.endsWith('.json') ? await readFile(path, 'utf8').catch(() => null) : null;
  if (text !== null) return parseTaskDefinition(text, path);
  throw new CompressionError(
    'INVALID_OPTION',
    `--tasks ${idOrPath}: there is no such task. Known: ${known.join(', ')}; or name a definition of your own, a .json file.`,
    { task: idOrPath, known },
  );
}
