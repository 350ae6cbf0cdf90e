import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Models and texts that are not part of the repository; tests that need them are skipped where they are absent. */
export const DATA_FOLDER = join(import.meta.dirname, '../../../../../shared/data');

export const hasData = existsSync(DATA_FOLDER);
