import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';

/** A temporary folder for the tests of one file. */
export interface ScratchFolder {
  readonly path: string;
}

/** Makes a temporary folder before the tests and removes it after them. */
export function scratchFolder(): ScratchFolder {
  const folder = { path: '' };
  beforeAll(async () => {
    folder.path = await mkdtemp(join(tmpdir(), 'quern-onnx-'));
  });
  afterAll(() => rm(folder.path, { recursive: true, force: true }));
  return folder;
}
