import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { demo, type Run, root, runQuern } from './runQuern.ts';

let folder = '';
/** A file system of 6 MB; null where this process may not mount one. */
let small: string | null = null;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-full-'));
  const target = join(folder, 'small');
  await mkdir(target);
  small = (await execute('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', target])).code === 0 ? target : null;
});
afterAll(async () => {
  if (small) await execute('umount', [small]);
  await rm(folder, { recursive: true, force: true });
});

function execute(command: string, args: readonly string[]): Promise<Run> {
  return new Promise(resolve => {
    execFile(command, args, { env: { ...process.env, NO_COLOR: '1' } }, (error, stdout, stderr) => {
      resolve({ code: error ? (typeof error.code === 'number' ? error.code : 1) : 0, stdout, stderr });
    });
  });
}

const FLAGS = ['--method', 'rtn', '--evaluate', 'none', '--device', 'cpu'];

it('says that the disk is full, and goes on when there is room', async context => {
  if (!small) context.skip('this process may not mount a file system');
  const out = join(small!, 'q4');
  const run = await runQuern('compress', demo, '--out', out, ...FLAGS);
  expect([run.code, run.stdout]).toEqual([1, '']);
  expect(run.stderr).toMatch(/(Cannot write|no space).*ENOSPC.*--resume.*\[WRITE_FAILED\]/);
  expect(run.stderr).not.toMatch(/^\s+at /m);
  expect(await readdir(out)).toEqual(['.quern-run']);
  expect((await execute('mount', ['-o', 'remount,size=32m', small!])).code).toBe(0);
  const resumed = await runQuern('compress', demo, '--out', out, ...FLAGS, '--resume');
  expect(resumed.code).toBe(0);
  expect(await readdir(out)).toEqual(expect.arrayContaining(['onnx', 'quern.json']));
});

it('says before any work that the disk has no room', async context => {
  if (!small) context.skip('this process may not mount a file system');
  expect((await execute('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', small!])).code).toBe(0);
  try {
    const run = await runQuern('compress', demo, '--out', join(small!, 'q4'), ...FLAGS);
    expect([run.code, run.stdout]).toEqual([1, '']);
    expect(run.stderr).toMatch(/needs 5\.\d+ MB and more .*no space is left there but 1\.05 MB.*\[WRITE_FAILED\]/);
    expect(await readdir(small!)).toEqual([]);
  } finally {
    await execute('umount', [small!]);
  }
});

it('says that a file would pass the limit on its size', async () => {
  const out = join(folder, 'limited');
  const main = join(root, 'packages', 'cli', 'src', 'main.js');
  // A limit on the size of any file, in units of 1024 bytes: the largest weight alone takes more.
  const limited = 'ulimit -f 90; exec "$@"';
  const run = await execute('bash', [
    '-c',
    limited,
    'bash',
    process.execPath,
    main,
    'compress',
    demo,
    '--out',
    out,
    ...FLAGS,
  ]);
  expect([run.code, run.stdout]).toEqual([1, '']);
  expect(run.stderr).toMatch(/(Cannot write|limit on its size).*EFBIG.*\[WRITE_FAILED\]/);
  expect(run.stderr).not.toMatch(/^\s+at /m);
  expect((await readdir(folder)).includes('limited') ? await readdir(out) : []).not.toContain('quern.json');
});
