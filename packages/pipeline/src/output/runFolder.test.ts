import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { claimRunFolder, type RunFolder, type RunRequest } from './runFolder.ts';

let base = '';
let path = '';
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'quern-run-'));
  path = join(base, 'a', 'out');
});
afterEach(() => rm(base, { recursive: true, force: true }));

const parts = { bits: 4, model: ['abc'] };
const claim = (more: Partial<RunRequest> = {}): Promise<RunFolder> =>
  claimRunFolder({ path, parts, force: false, resume: false, ...more });

/** Leaves a run as a crash would: with a finished job and a half-written output. */
async function crash(): Promise<void> {
  const run = await claim();
  await mkdir(run.results);
  await writeFile(join(run.results, 'job'), 'done');
  await writeFile(join(run.staging, 'half'), 'ha');
}

async function stage(run: RunFolder, files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(join(run.staging, 'onnx'), { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(run.staging, name), text);
}

describe('commit', () => {
  it('gives every file its name, the last one last, and leaves nothing else', async () => {
    const run = await claim();
    await stage(run, { 'quern.json': '{}', 'onnx/model.onnx': 'graph', 'README.md': 'card' });
    expect(await readdir(path)).toEqual(['.quern-run']);
    expect(await run.commit('quern.json')).toEqual(['README.md', 'onnx/model.onnx', 'quern.json']);
    expect((await readdir(path)).sort()).toEqual(['README.md', 'onnx', 'quern.json']);
    expect(await readFile(join(path, 'onnx', 'model.onnx'), 'utf8')).toBe('graph');
  });

  it('never leaves an old manifest beside new files', async () => {
    await mkdir(path, { recursive: true });
    await writeFile(join(path, 'quern.json'), 'old');
    await writeFile(join(path, 'letter.txt'), 'keep me');
    const run = await claim({ force: true });
    await stage(run, { 'README.md': 'new' });
    // Nothing with the manifest's name is staged: as if the process had ended just before it.
    await run.commit('quern.json');
    expect((await readdir(path)).sort()).toEqual(['README.md', 'letter.txt']);
  });

  it.each(['quern.json', 'config.json'])(
    'removes what the manifest of an earlier run lists, %s being last',
    async last => {
      const old = await claim();
      const outside = join(base, 'outside.txt');
      const listed = ['model.onnx', 'genai_config.json', 'config.json', 'cache/old.bin', 'onnx', '../../outside.txt'];
      const manifest = JSON.stringify({ files: [...listed, outside].map(file => ({ path: file, bytes: 3 })) });
      await mkdir(join(old.staging, 'cache'));
      await stage(old, { 'model.onnx': 'old', 'genai_config.json': '{}', 'config.json': '{}', 'cache/old.bin': 'old' });
      await stage(old, { 'quern.json': manifest });
      await old.commit('quern.json');
      await mkdir(join(path, 'onnx'));
      await writeFile(join(path, 'onnx', 'mine.onnx'), 'keep me');
      await writeFile(outside, 'keep me');

      const run = await claim({ force: true });
      await stage(run, { [last]: '{"new":1}', 'config.json': '{"new":1}', 'onnx/model_q4.onnx': 'new' });
      expect(await readdir(path)).toContain('model.onnx'); // until there is something in its place
      await run.commit(last);
      expect((await readdir(path)).sort()).toEqual([...new Set(['config.json', 'onnx', last])].sort());
      expect((await readdir(join(path, 'onnx'))).sort()).toEqual(['mine.onnx', 'model_q4.onnx']);
      expect(await readFile(join(path, 'config.json'), 'utf8')).toBe('{"new":1}');
      expect(await readFile(outside, 'utf8')).toBe('keep me');
    },
  );
});

describe('a folder that is not empty', () => {
  beforeEach(async () => {
    await mkdir(path, { recursive: true });
    await writeFile(join(path, 'letter.txt'), 'keep me');
  });

  it('needs force', async () => {
    await expect(claim()).rejects.toMatchObject({ code: 'OUTPUT_EXISTS', message: /letter\.txt.*--force/ });
    await (await claim({ force: true })).abandon();
    expect(await readdir(path)).toEqual(['letter.txt']);
  });

  it('has nothing to resume', async () => {
    await expect(claim({ resume: true })).rejects.toMatchObject({
      code: 'OUTPUT_EXISTS',
      message: /no unfinished run/,
    });
    expect(await readdir(path)).toEqual(['letter.txt']);
  });

  it('may hold a run all the same', async () => {
    const run = await claim({ force: true });
    await mkdir(run.results);
    await writeFile(join(run.results, 'job'), 'done');
    const resumed = await claim({ resume: true });
    expect(await readdir(resumed.results)).toEqual(['job']);
  });
});

describe('resume', () => {
  it('keeps finished jobs and drops half-written output', async () => {
    await crash();
    const run = await claim({ resume: true, parts: { model: ['abc'], bits: 4 } });
    expect(await readdir(run.results)).toEqual(['job']);
    expect(await readdir(run.staging)).toEqual([]);
  });

  it('is what a folder with a run asks for', async () => {
    await crash();
    await expect(claim()).rejects.toMatchObject({ code: 'OUTPUT_EXISTS', message: /--resume/ });
  });

  it('refuses other settings and names them', async () => {
    await crash();
    const other = claim({ resume: true, parts: { bits: 3, model: ['abd'], seed: 0 } });
    await expect(other).rejects.toMatchObject({
      code: 'RUN_MISMATCH',
      context: { different: ['bits', 'model', 'seed'] },
    });
    expect(await readdir(join(path, '.quern-run', 'results'))).toEqual(['job']);
  });

  it('gives way to force', async () => {
    await crash();
    const run = await claim({ force: true, parts: { bits: 3 } });
    await expect(readdir(run.results)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('starts where nothing stands, or only what a crash left before the first job or after the last file', async () => {
    await (await claim({ resume: true })).abandon();
    expect(await readdir(base)).toEqual([]);
    await crash();
    await rm(join(path, '.quern-run', 'run.json'));
    const run = await claim({ resume: true, parts: { bits: 3 } });
    await expect(readdir(run.results)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('completes what a crash interrupted between two files', async () => {
    const run = await claim();
    await stage(run, { a: 'first', b: 'second', 'quern.json': '{}' });
    await rename(join(run.staging, 'a'), join(path, 'a'));
    const resumed = await claim({ resume: true });
    await stage(resumed, { a: 'first', b: 'second', 'quern.json': '{}' });
    await resumed.commit('quern.json');
    expect((await readdir(path)).sort()).toEqual(['a', 'b', 'quern.json']);
  });
});

it('removes only folders that it made', async () => {
  await (await claim()).abandon();
  expect(await readdir(base)).toEqual([]);
  await mkdir(path, { recursive: true });
  await (await claim()).abandon();
  expect(await readdir(path)).toEqual([]);
});

it('does not write into a file', async () => {
  await mkdir(join(base, 'a'));
  await writeFile(path, 'text');
  await expect(claim({ force: true })).rejects.toMatchObject({ code: 'OUTPUT_EXISTS', message: /is a file/ });
});
