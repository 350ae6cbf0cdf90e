import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demo, runQuern } from './runQuern.ts';

let folder = '';
let recipe = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-codebooks-'));
  recipe = join(folder, 'recipe.yaml');
  // One of six blocks, a few windows, few sweeps: quick.
  const lines = [
    'method: aqlm',
    'bits: 2',
    'options: { group: 4, codebooks: 2, sweeps: 2 }',
    'exclude: ["model.layers.{1,2,3,4,5}.*"]',
    'calibration: { windows: 8, windowLength: 64 }',
  ];
  await writeFile(recipe, lines.join('\n'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const compress = async (name: string, ...flags: string[]) => {
  const out = join(folder, name);
  const run = await runQuern('compress', demo, '--recipe', recipe, '--out', out, '--json', ...flags);
  expect(run.stderr).not.toContain('warning');
  expect(run.code).toBe(0);
  return { out, result: JSON.parse(run.stdout) };
};

describe('codebooks', () => {
  it('take what the plan says, run, and come back from a packed file byte for byte', async () => {
    const planned = JSON.parse((await runQuern('plan', demo, '--recipe', recipe, '--json')).stdout);
    const { out, result } = await compress('container', '--threads', '2', '--evaluate', 'stories');
    const bits = result.sites.map((site: { storageBits: number }) => site.storageBits);
    expect(bits).toEqual(planned.sites.map((site: { storageBits: number }) => site.storageBits));
    // Codes of 2 bits a weight, two codebooks of 16 words of 4 halves, a half an output.
    expect(bits[0]).toBe(2 * 256 * 256 + 16 * 2 * 16 * 4 + 16 * 256);
    const { before, after, exact } = result.perplexity;
    expect(after).toBeGreaterThan(before);
    expect(after).toBeLessThan(1.2 * before);
    expect(exact / after).toBeCloseTo(1, 2);

    const packed = await compress('packed', '--threads', '1', '--evaluate', 'none', '--storage', 'packed');
    expect(packed.result.storage.storedBytes).toBeLessThanOrEqual(result.storage.storedBytes + 7 * 100);
    const unpacked = join(folder, 'unpacked');
    expect((await runQuern('unpack', packed.out, '--out', unpacked)).code).toBe(0);
    for (const name of ['model.onnx', 'model.onnx_data']) {
      const [one, other] = [join(out, 'onnx', name), join(unpacked, 'onnx', name)];
      expect((await readFile(one)).equals(await readFile(other))).toBe(true);
    }
  });

  it('refuses codes that do not exist, before work', async () => {
    const run = await runQuern('plan', demo, '--method', 'aqlm:2.3');
    expect(run.code).toBe(2);
    expect(run.stderr).toContain('no codes have bits 2.3');
  });
});
