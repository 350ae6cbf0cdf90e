import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NamedTensors } from '@quern/runtime';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createHiddenStates } from './hiddenStates.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-hidden-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const tensors = (value: number): NamedTensors => ({
  hidden: { type: 'float32', dims: [1, 2, 2], data: new Float32Array(4).fill(value) },
});

it('spills what does not fit into the memory limit, and gives back the same values', async () => {
  const spill = join(folder, 'spill');
  const states = createHiddenStates(spill, 2 * 16); // two chunks of 16 bytes
  for (const chunk of [0, 1, 2]) await states.write(chunk, tensors(chunk));
  expect(await readdir(spill)).toEqual(['chunk-2']);
  for (const chunk of [2, 0, 1]) expect(await states.read(chunk)).toEqual(tensors(chunk));
  await states.write(2, tensors(7));
  expect((await states.read(2)).hidden!.data[3]).toBe(7);
  await states.close();
  expect(await readdir(folder)).toEqual([]);
});

it('says where it cannot write', async () => {
  await writeFile(join(folder, 'file'), '');
  const states = createHiddenStates(join(folder, 'file', 'spill'), 0);
  const failure = { code: 'WRITE_FAILED', message: expect.stringMatching(/hidden states into .*spill .*TMPDIR/) };
  await expect(states.write(0, tensors(0))).rejects.toMatchObject(failure);
});
