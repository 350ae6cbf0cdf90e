import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hashResult, isStaged, listJobs, listResult } from './resultFolder.ts';
import { demo, root, runQuern } from './runQuern.ts';
import { type Started, startQuern, waitUntil } from './startQuern.ts';

/** Two blocks and short windows, so that many runs take little time. */
const QUICK = [
  '--exclude',
  'model.layers.{2,3,4,5}.*',
  '--window-length',
  '64',
  '--evaluate',
  'none',
  '--device',
  'cpu',
];
const GPTQ = ['--method', 'gptq', '--bits', '3', '--windows', '16', ...QUICK];
const RTN = ['--method', 'rtn', ...QUICK];
const RUN = '.quern-run';

let folder = '';
/** Hashes of a run that nobody disturbed. */
let expected: Record<string, string> = {};
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-resume-'));
  const out = join(folder, 'undisturbed');
  expect(await runQuern('compress', demo, '--out', out, ...GPTQ)).toMatchObject({ code: 0 });
  expected = hashResult(out);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('gives the same bytes after kill -9 at any moment', async () => {
  const out = join(folder, 'killed');
  const random = createRandom(20);
  const start = (): Started => startQuern('compress', demo, '--out', out, ...GPTQ, '--resume');
  let jobs = 0;
  for (const most of [1, 6, 6]) {
    const started = start();
    const wanted = Math.min(jobs + Math.ceil(random() * most), 13);
    expect(await waitUntil(started, () => listJobs(out).size >= wanted)).toBe(true);
    await sleep(random() * 150);
    started.signalGroup('SIGKILL');
    expect((await started.ended).code).toBe(-1);
    expect(await readdir(out)).toEqual([RUN]);
    expect(listJobs(out).size).toBeGreaterThanOrEqual(jobs);
    jobs = listJobs(out).size;
  }
  expect(jobs).toBeGreaterThan(2);

  // The last one while files get their final names: none may ever be there in part.
  const before = listJobs(out);
  const seen = new Map<string, Set<number>>();
  const last = start();
  const killed = waitUntil(last, () => {
    for (const [job, time] of before) expect(listJobs(out).get(job) ?? time).toBe(time);
    return isStaged(out, 'quern.json');
  }).then(() => last.signalGroup('SIGKILL'));
  await killed;
  await last.ended;
  for (const [name, size] of listResult(out)) seen.set(name, new Set([size]));

  const final = start();
  await waitUntil(final, () => {
    for (const [name, size] of listResult(out)) seen.set(name, (seen.get(name) ?? new Set()).add(size));
    return false;
  });
  expect(await final.ended).toMatchObject({ code: 0 });
  expect(hashResult(out)).toEqual(expected);
  const sizes = listResult(out);
  for (const [name, values] of seen) {
    if (name !== 'quern.json') expect([name, ...values]).toEqual([name, sizes.get(name)]);
  }
  expect(await readdir(out)).not.toContain(RUN);
});

it('gives the same figures and bytes after kill -9 in every stage, scoring among them', async () => {
  const text = join(folder, 'evaluation.txt');
  const stories = await readFile(join(root, 'calib-data', 'stories', 'evaluation.txt'), 'utf8');
  await writeFile(text, stories.slice(0, 6000));
  const flags = [...GPTQ, '--windows', '8', '--evaluate', text];
  const undisturbed = join(folder, 'scored');
  expect(await runQuern('compress', demo, '--out', undisturbed, ...flags)).toMatchObject({ code: 0 });
  const out = join(folder, 'killed-in-stages');
  const random = createRandom(7);
  for (const stage of ['open', 'evaluate original', 'solve', 'write', 'evaluate result', 'evaluate exactly']) {
    const started = startQuern('compress', demo, '--out', out, ...flags, '--resume');
    const reached = () => started.messages().includes(`${stage}: `) && !started.hasEnded();
    expect([stage, await waitUntil(started, reached)]).toEqual([stage, true]);
    await sleep(random() * 60);
    started.signalGroup('SIGKILL');
    expect([stage, (await started.ended).code]).toEqual([stage, -1]);
  }
  const final = await runQuern('compress', demo, '--out', out, ...flags, '--resume');
  expect(final.code).toBe(0);
  // The original was scored before the first kill behind it, and is not scored again.
  expect(final.stderr).not.toContain('evaluate original:');
  expect(hashResult(out)).toEqual(hashResult(undisturbed));
  expect(await readdir(out)).not.toContain(RUN);
});

it('stops at Ctrl-C with code 130 and goes on from there', async () => {
  const out = join(folder, 'interrupted');
  const started = startQuern('compress', demo, '--out', out, ...GPTQ);
  expect(await waitUntil(started, () => listJobs(out).size >= 5)).toBe(true);
  started.signal('SIGINT');
  const { code, stdout, stderr } = await started.ended;
  expect([code, stdout]).toEqual([130, '']);
  expect(stderr).toMatch(/Interrupted.*finished results are kept.*--resume.*\[INTERRUPTED\]/);
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(await readdir(out)).toEqual([RUN]);
  const kept = listJobs(out);

  const plain = await runQuern('compress', demo, '--out', out, ...GPTQ);
  expect(plain.code).toBe(2);
  expect(plain.stderr).toMatch(/unfinished run.*--resume.*--force.*\[OUTPUT_EXISTS\]/);

  const other = await runQuern('compress', demo, '--out', out, ...GPTQ, '--bits', '4', '--windows', '8', '--resume');
  expect(other.code).toBe(2);
  expect(other.stderr).toMatch(/another bits, calibration: .*--force.*\[RUN_MISMATCH\]/);
  expect(listJobs(out)).toEqual(kept);

  const forced = join(folder, 'forced');
  await cp(out, forced, { recursive: true });
  expect(await runQuern('compress', demo, '--out', forced, ...RTN, '--force')).toMatchObject({ code: 0 });
  expect(await readdir(forced)).not.toContain(RUN);

  const resumed = startQuern('compress', demo, '--out', out, ...GPTQ, '--resume', '--threads', '1');
  await waitUntil(resumed, () => {
    const now = listJobs(out);
    // Until the run is removed at the end, what was finished stays as it was written.
    for (const [job, time] of kept) expect(now.get(job) ?? time).toBe(time);
    return false;
  });
  expect(await resumed.ended).toMatchObject({ code: 0 });
  expect((await resumed.ended).stderr).toContain(`resumes with ${kept.size} finished results`);
  expect(hashResult(out)).toEqual(expected);
});

it('leaves nothing when it is interrupted before anything is finished', async () => {
  const out = join(folder, 'early');
  const started = startQuern('compress', demo, '--out', join(out, 'deep'), ...GPTQ);
  expect(await waitUntil(started, () => isStaged(join(out, 'deep'), ''))).toBe(true);
  started.signal('SIGINT');
  const { code, stderr } = await started.ended;
  expect(code).toBe(130);
  expect(stderr).toMatch(/Interrupted.*\[INTERRUPTED\]/);
  expect(await readdir(folder)).not.toContain('early');
});

it('resumes nothing where no run stands', async () => {
  const out = join(folder, 'other');
  await mkdir(out);
  await writeFile(join(out, 'letter.txt'), 'keep me');
  const refused = await runQuern('compress', demo, '--out', out, ...RTN, '--resume');
  expect(refused.code).toBe(2);
  expect(refused.stderr).toMatch(/no unfinished run.*letter\.txt.*\[OUTPUT_EXISTS\]/);
  expect(await readdir(out)).toEqual(['letter.txt']);

  // A folder that is not there: the first of the commands that are to be repeated.
  const fresh = join(folder, 'fresh');
  const first = await runQuern('compress', demo, '--out', fresh, ...RTN, '--resume', '--json');
  expect(first.code).toBe(0);
  const again = await runQuern('compress', demo, '--out', fresh, ...RTN, '--resume', '--json');
  expect(again).toMatchObject({ code: 0, stdout: first.stdout });
  expect(again.stderr).toContain('nothing to resume');
  const other = await runQuern('compress', demo, '--out', fresh, ...RTN, '--bits', '8', '--resume');
  expect(other.code).toBe(2);
  expect(other.stderr).toContain('[RUN_MISMATCH]');

  const both = await runQuern('compress', demo, '--out', fresh, ...RTN, '--resume', '--force');
  expect(both.code).toBe(2);
});

/** Small and seeded (mulberry32), so that a failure comes back with the same moments. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
