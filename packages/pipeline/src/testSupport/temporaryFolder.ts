import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';

/** Makes a temporary folder before the tests of a file and removes it after them. For tests. */
export function temporaryFolder(): { readonly path: string } {
  const folder = { path: '' };
  beforeAll(async () => {
    folder.path = await mkdtemp(join(tmpdir(), 'quern-pipeline-'));
  });
  afterAll(() => rm(folder.path, { recursive: true, force: true }));
  return folder;
}
