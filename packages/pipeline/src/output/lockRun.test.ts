import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { lockRun } from './lockRun.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-lock-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('keeps a second process out while the first is alive, and not longer', async () => {
  const other = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)']);
  await writeFile(join(folder, 'process'), String(other.pid));
  await expect(lockRun(folder, 'out')).rejects.toMatchObject({ code: 'OUTPUT_EXISTS', context: { pid: other.pid } });
  const ended = new Promise(resolve => other.on('close', resolve));
  other.kill('SIGKILL');
  await ended;
  await lockRun(folder, 'out');
  expect(await readFile(join(folder, 'process'), 'utf8')).toBe(String(process.pid));
  await lockRun(folder, 'out');
});
