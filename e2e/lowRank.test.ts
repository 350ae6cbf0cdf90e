import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hashResult } from './resultFolder.ts';
import { demo, runQuern } from './runQuern.ts';

interface Result {
  readonly storage: { readonly storedBytes: number };
  readonly sites: readonly {
    readonly name: string;
    readonly solver: string;
    readonly nominalBits: number;
    readonly storageBits: number;
  }[];
}

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-low-rank-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const QUICK = ['--windows', '16', '--window-length', '32', '--evaluate', 'none', '--device', 'cpu', '--json'];

it('removes what an expression over the block says, and plan says so before', async () => {
  const flags = ['--method', 'svd-llm', '--ratio', '0.2 + 0.4 * block / (blockCount - 1)', ...QUICK];
  const run = await runQuern('compress', demo, '--out', join(folder, 'expression'), ...flags);
  expect(run).toMatchObject({ code: 0 });
  const { sites, storage } = JSON.parse(run.stdout) as Result;
  const plan = JSON.parse((await runQuern('plan', demo, ...flags)).stdout) as Result & { storedBytes: number };
  expect(plan.storedBytes).toBe(storage.storedBytes);
  for (const [index, { name, storageBits }] of sites.entries()) {
    expect(plan.sites[index]).toMatchObject({ name, storageBits });
    const block = Number(/layers\.(\d)/.exec(name)![1]);
    const [rows, columns] = name.includes('mlp') ? [256, 768] : [256, /[kv]_proj/.test(name) ? 128 : 256];
    const kept = storageBits / (16 * rows! * columns!);
    // Ranks are whole: one less than the largest that fits would be further off than this.
    expect(kept).toBeLessThanOrEqual(0.8 - 0.08 * block);
    expect(kept + (rows! + columns!) / (rows! * columns!)).toBeGreaterThan(0.8 - 0.08 * block);
  }
});

it('gives the same bytes with 1, 2 and 4 worker threads, whatever is solved together', async () => {
  const recipe = join(folder, 'mixed.yaml');
  const lines = [
    'method: svd-llm-v2',
    'ratio: 0.4',
    'rules:',
    '  - { sites: "*.q_proj", method: basis-sharing, ratio: 0.3, bits: 8 }',
    '  - { sites: "*.down_proj", method: gptq+lowrank, bits: 3 }',
    'exclude: ["model.layers.{2,3,4,5}.*"]',
  ];
  await writeFile(recipe, lines.join('\n'));
  const results = [];
  for (const threads of ['1', '2', '4']) {
    const out = join(folder, threads);
    const run = await runQuern('compress', demo, '--out', out, '--recipe', recipe, ...QUICK, '--threads', threads);
    expect(run).toMatchObject({ code: 0 });
    const { sites } = JSON.parse(run.stdout) as Result;
    const solvers = new Set(sites.map(site => site.solver));
    expect(['basis-sharing', 'gptq+lowrank', 'svd-llm-v2'].every(name => solvers.has(name))).toBe(true);
    results.push(hashResult(out));
  }
  expect(results[1]).toEqual(results[0]);
  expect(results[2]).toEqual(results[0]);
});
