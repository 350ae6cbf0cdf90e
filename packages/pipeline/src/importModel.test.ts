import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { importModel } from './importModel.ts';
import * as runFolder from './output/runFolder.ts';
import { temporaryFolder } from './testSupport/temporaryFolder.ts';

vi.mock(import('./output/runFolder.ts'), { spy: true });

const demo = join(import.meta.dirname, '..', '..', '..', 'models', 'demo');
const folder = temporaryFolder();

it('ends at an interruption and leaves nothing', async () => {
  const interrupted = importModel(demo, join(folder.path, 'a', 'out'), false, AbortSignal.abort());
  await expect(interrupted).rejects.toMatchObject({ code: 'INTERRUPTED' });
  expect(runFolder.claimRunFolder).toHaveBeenCalledOnce(); // it was under way
  expect(await readdir(folder.path)).toEqual([]);
});

it('tells what went wrong first, even when cleaning up fails too', async () => {
  const { claimRunFolder } = await vi.importActual<typeof runFolder>('./output/runFolder.ts');
  vi.mocked(runFolder.claimRunFolder).mockImplementationOnce(async request => ({
    ...(await claimRunFolder(request)),
    abandon: () => Promise.reject(new Error('cannot clean up')),
  }));
  const interrupted = importModel(demo, join(folder.path, 'out'), false, AbortSignal.abort());
  await expect(interrupted).rejects.toMatchObject({ code: 'INTERRUPTED' });
});
