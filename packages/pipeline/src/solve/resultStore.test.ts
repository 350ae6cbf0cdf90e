import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SolveResult } from '@quern/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openResultStore } from './resultStore.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-jobs-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const result: SolveResult = {
  compressed: {
    kind: 'quantized',
    outFeatures: 1,
    inFeatures: 3,
    bits: 4,
    groupSize: 3,
    codes: Uint8Array.of(1, 2, 15),
    scales: Float32Array.of(0.25),
    scaleType: 'float16',
    zeroPoints: null,
  },
  relativeOutputError: 0.125,
  relativeWeightError: 0.25,
  storageBits: 208,
};

it('gives back what was saved', async () => {
  const store = await openResultStore(join(folder, 'jobs'));
  expect(await store.load('aa')).toBeNull();
  await store.save('aa', result);
  expect(await store.load('aa')).toEqual(result);
  expect(await readdir(join(folder, 'jobs'))).toEqual(['aa']);
  expect(await store.count()).toBe(1);
});

it('does not trust a damaged file', async () => {
  const store = await openResultStore(join(folder, 'jobs'));
  await store.save('bb', result);
  const path = join(folder, 'jobs', 'bb');
  const bytes = await readFile(path);
  bytes[bytes.length - 1]! ^= 1;
  await writeFile(path, bytes);
  expect(await store.load('bb')).toBeNull();
  await writeFile(path, bytes.subarray(0, 40));
  expect(await store.load('bb')).toBeNull();
});
