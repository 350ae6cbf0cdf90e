import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
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
  expect((await readFile(join(folder, 'process'), 'utf8')).split(' ')[0]).toBe(String(process.pid));
  await lockRun(folder, 'out');
});

it.skipIf(process.platform !== 'linux')('is not kept out by a number that another process has now', async () => {
  const other = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)']);
  await writeFile(join(folder, 'process'), `${other.pid} 12345`);
  await lockRun(folder, 'out');
  other.kill('SIGKILL');
});

it.skipIf(process.platform !== 'linux')(
  'is not kept out by a killed process that nobody has asked for its end',
  async () => {
    // The shell starts a process and turns into another program, which never asks; a shell that is still one might.
    const shell = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60']);
    const [output] = (await once(shell.stdout, 'data')) as [Buffer];
    const pid = Number(output.toString());
    while ((await readFile(`/proc/${shell.pid}/comm`, 'utf8')).trim() !== 'sleep') await sleep(5);
    process.kill(pid, 'SIGKILL');
    while (!/\) Z /.test(await readFile(`/proc/${pid}/stat`, 'utf8'))) await sleep(5);
    await writeFile(join(folder, 'process'), String(pid));
    await lockRun(folder, 'out');
    shell.kill('SIGKILL');
  },
);
