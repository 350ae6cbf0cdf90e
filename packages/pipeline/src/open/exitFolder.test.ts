import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-exit-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Makes a folder in a process of its own that then ends as `ending` says. */
async function make(ending: string): Promise<string[]> {
  const module = pathToFileURL(join(import.meta.dirname, 'exitFolder.ts')).href;
  const script = `
    import { readdirSync, writeFileSync } from 'node:fs';
    const { exitFolder } = await import(${JSON.stringify(module)});
    writeFileSync((await exitFolder('rotated')) + '/data', 'weights');
    console.log(readdirSync(${JSON.stringify(folder)}).join(' '));
    ${ending}`;
  const environment = { ...process.env, TMPDIR: folder };
  const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { env: environment });
  const { stdout } = await run.catch((error: { stdout: string }) => error);
  return stdout.trim().split(' ');
}

const KILL = "process.kill(process.pid, 'SIGKILL')";

it('goes with its process, or with the next one where that was killed', async () => {
  await mkdir(join(folder, 'quern-mine'));
  await writeFile(join(folder, 'quern-mine', 'letter'), 'keep me');
  await make('');
  expect(await readdir(folder)).toEqual(['quern-mine']);
  const [left] = (await make(KILL)).filter(name => name !== 'quern-mine');
  expect((await readdir(join(folder, left!))).sort()).toEqual(['.process', 'data']);
  const seen = await make(KILL);
  expect(seen).not.toContain(left);
  expect(seen).toHaveLength(2);
  await make('');
  expect(await readdir(folder)).toEqual(['quern-mine']);
});

it('leaves what another machine marked', async () => {
  await mkdir(join(folder, 'quern-rotated-other'));
  await writeFile(join(folder, 'quern-rotated-other', '.process'), '999999999 1 elsewhere pid:[1]');
  await make('');
  expect(await readdir(folder)).toContain('quern-rotated-other');
});
